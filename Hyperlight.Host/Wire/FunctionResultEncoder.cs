namespace Hyperlight.Host.Wire;

/// <summary>Encodes FunctionCallResult messages, host to guest: what a host function answered.</summary>
internal static class FunctionResultEncoder
{
    private const int ErrorCodeSlot = 0;
    private const int ErrorMessageSlot = 1;

    /// <summary>Encodes a value, or measures it if <paramref name="target"/> is empty.</summary>
    /// <returns>The size of the message in bytes.</returns>
    public static long EncodeValue<T>(Span<byte> target, T value)
        where T : allows ref struct
    {
        var writer = new FlatBufferWriter(target);
        byte tag = (byte)WireTypeMap.ToReturnTag(Functions.ValueTypes.OfResult<T>());
        long box = UnionTable.Write(ref writer, tag, ValueTable.WriteResult(ref writer, value));
        return writer.Finish(UnionTable.Write(ref writer, (byte)WireResultTag.ReturnValue, box));
    }

    /// <summary>Encodes an error, or measures it if <paramref name="target"/> is empty.</summary>
    /// <returns>The size of the message in bytes.</returns>
    public static long EncodeError(Span<byte> target, GuestErrorCode code, ReadOnlySpan<char> message)
    {
        var writer = new FlatBufferWriter(target);
        long text = writer.CreateString(message);
        writer.StartTable();
        writer.AddUInt64(ErrorCodeSlot, (ulong)code);
        writer.AddOffset(ErrorMessageSlot, text);
        long error = writer.EndTable();
        return writer.Finish(UnionTable.Write(ref writer, (byte)WireResultTag.GuestError, error));
    }
}
