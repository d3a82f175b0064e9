using System.Text.Json;

namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>Converts JSON to the arguments of a guest function, exactly: a value that does not fit its type is an error.</summary>
internal static class JsonArguments
{
    /// <exception cref="BadArgumentsException">The arguments do not fit the signature; the message says which and why.</exception>
    public static GuestValue[] Convert(JsonElement arguments, Signature signature)
    {
        if (arguments.ValueKind != JsonValueKind.Array)
        {
            throw new BadArgumentsException("'arguments' must be an array of the function's arguments, such as [1, 2].");
        }

        int count = arguments.GetArrayLength();
        if (count != signature.Parameters.Count)
        {
            throw new BadArgumentsException($"{signature} takes {signature.Parameters.Count} arguments, and there are {count}.");
        }

        var values = new GuestValue[count];
        for (int i = 0; i < count; i++)
        {
            Parameter parameter = signature.Parameters[i];
            values[i] = TryConvert(arguments[i], TypeNames.Parse(parameter.Type))
                ?? throw new BadArgumentsException($"Argument {i} ('{parameter.Name}') must be {Describe(parameter.Type)}.");
        }

        return values;
    }

    private static GuestValue? TryConvert(JsonElement json, GuestValueType type) => (type, json.ValueKind) switch
    {
        (GuestValueType.Int, JsonValueKind.Number) when json.TryGetInt32(out int value) => value,
        (GuestValueType.UInt, JsonValueKind.Number) when json.TryGetUInt32(out uint value) => value,
        (GuestValueType.Long, JsonValueKind.Number) when json.TryGetInt64(out long value) => value,
        (GuestValueType.ULong, JsonValueKind.Number) when json.TryGetUInt64(out ulong value) => value,
        (GuestValueType.Float, _) when TryGetDouble(json) is { } value && float.IsFinite((float)value) == double.IsFinite(value) => (float)value,
        (GuestValueType.Double, _) when TryGetDouble(json) is { } value => value,
        (GuestValueType.Bool, JsonValueKind.True or JsonValueKind.False) => json.GetBoolean(),
        (GuestValueType.String, JsonValueKind.String) when TryGetText(json) is { } value => value,
        (GuestValueType.Bytes, JsonValueKind.String) when json.TryGetBytesFromBase64(out byte[]? value) => value,
        _ => null,
    };

    /// <summary>JSON has no infinities: they are written as text, as <see cref="JsonResult"/> writes them.</summary>
    private static double? TryGetDouble(JsonElement json) => json.ValueKind switch
    {
        JsonValueKind.Number when json.TryGetDouble(out double value) && double.IsFinite(value) => value,
        JsonValueKind.String => JsonResult.NonFinite(json.GetString()),
        _ => null,
    };

    /// <summary>The text, unless it has half of a surrogate pair, which is no text.</summary>
    private static string? TryGetText(JsonElement json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string Describe(string type) => type switch
    {
        "int" => $"an integer from {int.MinValue} to {int.MaxValue}",
        "uint" => $"an integer from 0 to {uint.MaxValue}",
        "long" => $"an integer from {long.MinValue} to {long.MaxValue}",
        "ulong" => $"an integer from 0 to {ulong.MaxValue}",
        "float" or "double" => "a number, or one of the texts \"NaN\", \"Infinity\" and \"-Infinity\"",
        "bool" => "true or false",
        "string" => "a text",
        _ => "a text with bytes in Base64",
    };
}
