using System.Globalization;
using System.Text;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>
/// Arguments of a guest's call and their types as hyperlight-host writes them into an error: <c>Long(1)</c>, <c>i32</c>. These
/// texts reach the guest and are part of the guest ABI.
/// </summary>
internal static class ArgumentText
{
    /// <summary>Name of a type.</summary>
    public static string TypeName(GuestValueType type) => type switch
    {
        GuestValueType.Int => "i32",
        GuestValueType.UInt => "u32",
        GuestValueType.Long => "i64",
        GuestValueType.ULong => "u64",
        GuestValueType.Float => "f32",
        GuestValueType.Double => "f64",
        GuestValueType.Bool => "bool",
        GuestValueType.String => "String",
        _ => "Vec<u8>",
    };

    /// <summary>One argument of a call.</summary>
    /// <param name="call">The call.</param>
    /// <param name="index">Which argument, from 0.</param>
    /// <param name="type">Its type.</param>
    /// <param name="limit">How much text is of use. A longer one ends soon after that many characters: a guest decides how long it is.</param>
    /// <exception cref="GuestProtocolException">The argument is malformed.</exception>
    public static string Format(FunctionCallReader call, int index, GuestValueType type, long limit) => type switch
    {
        GuestValueType.Int => $"Int({Invariant(call.GetParameter<int>(index))})",
        GuestValueType.UInt => $"UInt({Invariant(call.GetParameter<uint>(index))})",
        GuestValueType.Long => $"Long({Invariant(call.GetParameter<long>(index))})",
        GuestValueType.ULong => $"ULong({Invariant(call.GetParameter<ulong>(index))})",
        GuestValueType.Float => $"Float({FloatText.Format(call.GetParameter<float>(index))})",
        GuestValueType.Double => $"Double({FloatText.Format(call.GetParameter<double>(index))})",
        GuestValueType.Bool => call.GetParameter<bool>(index) ? "Bool(true)" : "Bool(false)",
        GuestValueType.String => Quote(call.GetParameter<string>(index), limit),
        _ => List(call.GetParameter<ReadOnlySpan<byte>>(index), limit),
    };

    private static string Invariant(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);

    private static string List(ReadOnlySpan<byte> bytes, long limit)
    {
        var text = new StringBuilder("VecBytes([");
        for (int i = 0; i < bytes.Length && text.Length <= limit; i++)
        {
            text.Append(i == 0 ? string.Empty : ", ").Append(CultureInfo.InvariantCulture, $"{bytes[i]}");
        }

        return text.Append("])").ToString();
    }

    private static string Quote(string value, long limit)
    {
        var text = new StringBuilder("String(\"");
        foreach (Rune rune in value.EnumerateRunes())
        {
            if (text.Length > limit)
            {
                break;
            }

            AppendEscaped(text, rune);
        }

        return text.Append("\")").ToString();
    }

    private static void AppendEscaped(StringBuilder text, Rune rune)
    {
        switch (rune.Value)
        {
            case '\0':
                text.Append("\\0");
                break;
            case '\t':
                text.Append("\\t");
                break;
            case '\r':
                text.Append("\\r");
                break;
            case '\n':
                text.Append("\\n");
                break;
            case '"' or '\\':
                text.Append('\\').Append(rune);
                break;
            case not ' ' when !IsPrintable(Rune.GetUnicodeCategory(rune)):
                text.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}");
                break;
            default:
                text.Append(rune);
                break;
        }
    }

    private static bool IsPrintable(UnicodeCategory category) => category is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark);
}
