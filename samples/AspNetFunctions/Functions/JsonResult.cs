using System.Globalization;
using System.Text.Json;

namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>Writes the result of a guest function as JSON.</summary>
internal static class JsonResult
{
    private static readonly double[] NonFiniteNumbers = [double.NaN, double.PositiveInfinity, double.NegativeInfinity];

    public static void Write(Utf8JsonWriter writer, GuestValue value)
    {
        switch (value.Type)
        {
            case GuestValueType.Void:
                writer.WriteNullValue();
                break;
            case GuestValueType.Int:
                writer.WriteNumberValue(value.AsInt32());
                break;
            case GuestValueType.UInt:
                writer.WriteNumberValue(value.AsUInt32());
                break;
            case GuestValueType.Long:
                writer.WriteNumberValue(value.AsInt64());
                break;
            case GuestValueType.ULong:
                writer.WriteNumberValue(value.AsUInt64());
                break;
            case GuestValueType.Float when float.IsFinite(value.AsSingle()):
                writer.WriteNumberValue(value.AsSingle());
                break;
            case GuestValueType.Float:
                writer.WriteStringValue(Text(value.AsSingle()));
                break;
            case GuestValueType.Double when double.IsFinite(value.AsDouble()):
                writer.WriteNumberValue(value.AsDouble());
                break;
            case GuestValueType.Double:
                writer.WriteStringValue(Text(value.AsDouble()));
                break;
            case GuestValueType.Bool:
                writer.WriteBooleanValue(value.AsBoolean());
                break;
            case GuestValueType.String:
                writer.WriteStringValue(value.AsString());
                break;
            default:
                writer.WriteBase64StringValue(value.AsBytes().Span);
                break;
        }
    }

    /// <summary>The number that is written as a text, or <see langword="null"/>.</summary>
    public static double? NonFinite(string? text)
    {
        foreach (double number in NonFiniteNumbers)
        {
            if (Text(number) == text)
            {
                return number;
            }
        }

        return null;
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);
}
