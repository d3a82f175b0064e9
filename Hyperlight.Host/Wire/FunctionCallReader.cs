namespace Hyperlight.Host.Wire;

/// <summary>Reads a FunctionCall message that a guest sent: its call of a host function.</summary>
internal readonly ref struct FunctionCallReader
{
    private const int NameSlot = 0;
    private const int ParametersSlot = 1;
    private const int CallTypeSlot = 2;

    private readonly FlatTable _root;

    /// <param name="message">A private copy of the size-prefixed message.</param>
    /// <exception cref="GuestProtocolException">The message is malformed.</exception>
    public FunctionCallReader(ReadOnlySpan<byte> message)
    {
        _root = FlatTable.Root(message);
        Name = _root.GetRequiredBytes(NameSlot, "FunctionCall.function_name");
        ParameterCount = _root.GetTableCount(ParametersSlot);

        // Guest or host are both accepted, as the ABI has it; only a call of no kind is malformed.
        byte type = _root.GetByte(CallTypeSlot);
        if ((WireCallType)type is not (WireCallType.Guest or WireCallType.Host))
        {
            throw new GuestProtocolException($"A function call has the invalid call type {type}.");
        }
    }

    /// <summary>The function's name as UTF-8 that nobody has checked yet.</summary>
    public ReadOnlySpan<byte> Name { get; }

    /// <summary>How many arguments there are.</summary>
    public int ParameterCount { get; }

    /// <summary>The type of one argument.</summary>
    public GuestValueType GetParameterType(int index) =>
        WireTypeMap.FromParameterTag(UnionTable.ReadTag(_root.GetTable(ParametersSlot, index)));

    /// <summary>The number of bytes of an argument that is text.</summary>
    public int GetTextLength(int index) => GetParameter<ReadOnlySpan<byte>>(index).Length;

    /// <summary>One argument, whose type the caller has compared with <see cref="GetParameterType"/>.</summary>
    public T GetParameter<T>(int index)
        where T : allows ref struct =>
        ValueTable.ReadArgument<T>(UnionTable.ReadValue(_root.GetTable(ParametersSlot, index), "Parameter.value"));
}
