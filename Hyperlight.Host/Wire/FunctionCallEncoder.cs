namespace Hyperlight.Host.Wire;

/// <summary>Encodes FunctionCall messages, host to guest.</summary>
internal static class FunctionCallEncoder
{
    private const int NameSlot = 0;
    private const int ParametersSlot = 1;
    private const int CallTypeSlot = 2;
    private const int ReturnTypeSlot = 3;
    private const int StackParameters = 32;

    /// <summary>Encodes a call, or measures it if <paramref name="target"/> is empty.</summary>
    /// <param name="target">The exact bytes of the message, or empty.</param>
    /// <param name="name">The guest function.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="resultType">The result the caller expects.</param>
    /// <returns>The size of the message in bytes.</returns>
    public static long Encode(
        Span<byte> target, ReadOnlySpan<char> name, ReadOnlySpan<GuestValue> arguments, GuestValueType resultType)
    {
        var writer = new FlatBufferWriter(target);
        long namePosition = writer.CreateString(name);
        long parameters = arguments.IsEmpty ? 0 : EncodeParameters(ref writer, arguments);

        writer.StartTable();
        if (parameters != 0)
        {
            writer.AddOffset(ParametersSlot, parameters);
        }

        writer.AddOffset(NameSlot, namePosition);
        writer.AddByte(ReturnTypeSlot, WireTypeMap.ToReturnType(resultType));
        writer.AddByte(CallTypeSlot, (byte)WireCallType.Guest);
        return writer.Finish(writer.EndTable());
    }

    private static long EncodeParameters(ref FlatBufferWriter writer, ReadOnlySpan<GuestValue> arguments)
    {
        Span<long> positions = arguments.Length <= StackParameters
            ? stackalloc long[StackParameters]
            : new long[arguments.Length];
        positions = positions[..arguments.Length];
        for (int i = 0; i < arguments.Length; i++)
        {
            WireParameterTag tag = WireTypeMap.ToParameterTag(arguments[i].Type);
            positions[i] = UnionTable.Write(ref writer, (byte)tag, ValueTable.WriteArgument(ref writer, arguments[i]));
        }

        return writer.CreateOffsets(positions);
    }
}
