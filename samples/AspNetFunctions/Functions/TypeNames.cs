namespace Hyperlight.Samples.AspNetFunctions.Functions;

/// <summary>The names of the types of the guest ABI in signatures and in JSON.</summary>
internal static class TypeNames
{
    private static readonly Dictionary<string, GuestValueType> Types = new(StringComparer.Ordinal)
    {
        ["void"] = GuestValueType.Void,
        ["int"] = GuestValueType.Int,
        ["uint"] = GuestValueType.UInt,
        ["long"] = GuestValueType.Long,
        ["ulong"] = GuestValueType.ULong,
        ["float"] = GuestValueType.Float,
        ["double"] = GuestValueType.Double,
        ["bool"] = GuestValueType.Bool,
        ["string"] = GuestValueType.String,
        ["bytes"] = GuestValueType.Bytes,
    };

    /// <summary>All names, for messages.</summary>
    public static string All { get; } = string.Join(", ", Types.Keys);

    public static bool TryParse(string name, out GuestValueType type) => Types.TryGetValue(name, out type);

    public static GuestValueType Parse(string name) => Types[name];

    public static string Of(GuestValueType type) => Types.First(pair => pair.Value == type).Key;
}
