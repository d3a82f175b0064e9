namespace Hyperlight.Host.Wire;

/// <summary>Reads a FunctionCallResult message that a guest sent: the answer to a call.</summary>
internal readonly ref struct FunctionResultReader
{
    private const int ErrorCodeSlot = 0;
    private const int ErrorMessageSlot = 1;

    private readonly FlatTable _value;

    /// <param name="message">A private copy of the size-prefixed message.</param>
    /// <exception cref="GuestProtocolException">The message is malformed.</exception>
    public FunctionResultReader(ReadOnlySpan<byte> message)
    {
        FlatTable root = FlatTable.Root(message);
        byte tag = UnionTable.ReadTag(root);
        FlatTable result = UnionTable.ReadValue(root, "FunctionCallResult.result");
        switch ((WireResultTag)tag)
        {
            case WireResultTag.ReturnValue:
                ValueType = WireTypeMap.FromReturnTag(UnionTable.ReadTag(result));
                _value = UnionTable.ReadValue(result, "ReturnValueBox.value");
                break;
            case WireResultTag.GuestError:
                IsError = true;
                _value = result;
                break;
            default:
                throw new GuestProtocolException($"A function result has the unknown kind {tag}.");
        }
    }

    /// <summary>Whether the guest answered with an error.</summary>
    public bool IsError { get; }

    /// <summary>The type of the value, if it is one.</summary>
    public GuestValueType ValueType { get; }

    /// <summary>The error's code as the guest sent it.</summary>
    public ulong ErrorCode => _value.GetUInt64(ErrorCodeSlot);

    /// <summary>The error's message; empty if absent.</summary>
    public string ErrorMessage => _value.GetString(ErrorMessageSlot);

    /// <summary>The value, whose type the caller has compared with <see cref="ValueType"/>.</summary>
    public T GetValue<T>() => ValueTable.ReadResult<T>(_value);

    /// <summary>The bytes, in the message itself, of a value that is <see cref="GuestValueType.Bytes"/>.</summary>
    public ReadOnlySpan<byte> GetBytes() => ValueTable.ReadResult<ReadOnlySpan<byte>>(_value);
}
