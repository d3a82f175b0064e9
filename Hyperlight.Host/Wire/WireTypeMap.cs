namespace Hyperlight.Host.Wire;

/// <summary>Translates between the library's types and the schema's discriminators.</summary>
internal static class WireTypeMap
{
    public static WireParameterTag ToParameterTag(GuestValueType type) => type switch
    {
        GuestValueType.Int => WireParameterTag.Int,
        GuestValueType.UInt => WireParameterTag.UInt,
        GuestValueType.Long => WireParameterTag.Long,
        GuestValueType.ULong => WireParameterTag.ULong,
        GuestValueType.Float => WireParameterTag.Float,
        GuestValueType.Double => WireParameterTag.Double,
        GuestValueType.String => WireParameterTag.String,
        GuestValueType.Bool => WireParameterTag.Bool,
        GuestValueType.Bytes => WireParameterTag.Bytes,
        _ => throw new ArgumentException("An argument has no value: default(GuestValue) cannot be passed to a guest."),
    };

    public static GuestValueType FromParameterTag(byte tag) => (WireParameterTag)tag switch
    {
        WireParameterTag.Int => GuestValueType.Int,
        WireParameterTag.UInt => GuestValueType.UInt,
        WireParameterTag.Long => GuestValueType.Long,
        WireParameterTag.ULong => GuestValueType.ULong,
        WireParameterTag.Float => GuestValueType.Float,
        WireParameterTag.Double => GuestValueType.Double,
        WireParameterTag.String => GuestValueType.String,
        WireParameterTag.Bool => GuestValueType.Bool,
        WireParameterTag.Bytes => GuestValueType.Bytes,
        _ => throw new GuestProtocolException($"A parameter has the unknown type {tag}."),
    };

    public static WireReturnTag ToReturnTag(GuestValueType type) => type switch
    {
        GuestValueType.Int => WireReturnTag.Int,
        GuestValueType.UInt => WireReturnTag.UInt,
        GuestValueType.Long => WireReturnTag.Long,
        GuestValueType.ULong => WireReturnTag.ULong,
        GuestValueType.Float => WireReturnTag.Float,
        GuestValueType.Double => WireReturnTag.Double,
        GuestValueType.String => WireReturnTag.String,
        GuestValueType.Bool => WireReturnTag.Bool,
        GuestValueType.Bytes => WireReturnTag.Bytes,
        _ => WireReturnTag.Void,
    };

    public static GuestValueType FromReturnTag(byte tag) => (WireReturnTag)tag switch
    {
        WireReturnTag.Int => GuestValueType.Int,
        WireReturnTag.UInt => GuestValueType.UInt,
        WireReturnTag.Long => GuestValueType.Long,
        WireReturnTag.ULong => GuestValueType.ULong,
        WireReturnTag.Float => GuestValueType.Float,
        WireReturnTag.Double => GuestValueType.Double,
        WireReturnTag.String => GuestValueType.String,
        WireReturnTag.Bool => GuestValueType.Bool,
        WireReturnTag.Void => GuestValueType.Void,
        WireReturnTag.Bytes => GuestValueType.Bytes,
        _ => throw new GuestProtocolException($"A result has the unknown type {tag}."),
    };

    /// <summary>The schema's ReturnType enumeration, which counts from zero where the union counts from one.</summary>
    public static byte ToReturnType(GuestValueType type) => (byte)(ToReturnTag(type) - 1);
}
