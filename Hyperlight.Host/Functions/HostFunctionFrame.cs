using System.Runtime.CompilerServices;
using Hyperlight.Host.Execution;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>Takes the arguments of one call from the message, runs the function and puts its result on the input buffer.</summary>
internal delegate void HostFunctionBody(ref HostFunctionFrame frame);

/// <summary>
/// One call of a host function. It knows how far the call has come, so that an exception of the function itself can be told
/// from a malformed argument before it and from a result that does not fit after it.
/// </summary>
internal ref struct HostFunctionFrame
{
    private readonly FunctionCallReader _call;
    private readonly SharedBuffer _input;
    private readonly HostFunction _function;
    private int _argumentsRead;
    private bool _hasReturned;

    public HostFunctionFrame(FunctionCallReader call, SharedBuffer input, HostFunction function, Interrupter interrupts)
    {
        _call = call;
        _input = input;
        _function = function;
        Interrupts = interrupts;
    }

    /// <summary>Whether the function itself is running: its arguments are there, its result is not.</summary>
    private readonly bool IsInFunction => _argumentsRead == _call.ParameterCount && !_hasReturned;

    /// <summary>What ends the call in which the function runs.</summary>
    public Interrupter Interrupts { get; }

    /// <summary>The call, if the function returned a task that has not completed.</summary>
    public PendingHostCall? Pending { get; private set; }

    /// <summary>Whether an exception is the guest's to handle, and not the end of its run.</summary>
    public readonly bool IsFailureOfFunction(Exception exception) => IsInFunction || exception is not HyperlightException;

    /// <summary>Reads one argument, or gives the call's token; the call's types were compared with the function's before.</summary>
    public T Argument<T>(int index)
        where T : allows ref struct
    {
        if (typeof(T) == typeof(CancellationToken))
        {
            // The two types are the same, which generic code has no other way to say without boxing.
            CancellationToken token = Interrupts.GetHostFunctionToken(Interrupts.Operation);
            return Unsafe.As<CancellationToken, T>(ref Unsafe.AsRef(in token));
        }

        T value = _call.GetParameter<T>(index);
        _argumentsRead++;
        return value;
    }

    /// <summary>Reads all arguments, of whatever types they are.</summary>
    public GuestValue[] Arguments()
    {
        var arguments = new GuestValue[_call.ParameterCount];
        for (int i = 0; i < arguments.Length; i++)
        {
            arguments[i] = _call.GetParameterType(i) switch
            {
                GuestValueType.Int => Argument<int>(i),
                GuestValueType.UInt => Argument<uint>(i),
                GuestValueType.Long => Argument<long>(i),
                GuestValueType.ULong => Argument<ulong>(i),
                GuestValueType.Float => Argument<float>(i),
                GuestValueType.Double => Argument<double>(i),
                GuestValueType.Bool => Argument<bool>(i),
                GuestValueType.String => Argument<string>(i),
                _ => Argument<byte[]>(i),
            };
        }

        return arguments;
    }

    /// <summary>Sends the function's result, which must have the type that the function's signature says.</summary>
    /// <exception cref="GuestValueTypeException">It has another type.</exception>
    /// <exception cref="ArgumentException">It is text that is not valid Unicode.</exception>
    /// <exception cref="MessageTooLargeException">It does not fit the input buffer.</exception>
    public void Return(GuestValue value, GuestValueType type)
    {
        switch (type)
        {
            case GuestValueType.Int:
                Return(value.AsInt32());
                break;
            case GuestValueType.UInt:
                Return(value.AsUInt32());
                break;
            case GuestValueType.Long:
                Return(value.AsInt64());
                break;
            case GuestValueType.ULong:
                Return(value.AsUInt64());
                break;
            case GuestValueType.Float:
                Return(value.AsSingle());
                break;
            case GuestValueType.Double:
                Return(value.AsDouble());
                break;
            case GuestValueType.Bool:
                Return(value.AsBoolean());
                break;
            case GuestValueType.String:
                Return(value.AsString());
                break;
            case GuestValueType.Bytes:
                Return(value.AsBytes());
                break;
            case GuestValueType.Void when value.Type == GuestValueType.Void:
                Return();
                break;
            default:
                throw new GuestValueTypeException(type, value.Type);
        }
    }

    /// <summary>Sends the function's result.</summary>
    /// <exception cref="ArgumentException">It is text that is not valid Unicode.</exception>
    /// <exception cref="MessageTooLargeException">It does not fit the input buffer.</exception>
    public void Return<T>(T value)
        where T : allows ref struct
    {
        // A result that cannot be encoded is the function's failure; one that does not fit is not.
        long length = FunctionResultEncoder.EncodeValue(default, value);
        _hasReturned = true;
        Span<byte> target = _input.Reserve(length, "The result of host function", _function.Name, out int start);
        FunctionResultEncoder.EncodeValue(target, value);
        _input.Commit(start, target.Length);
    }

    /// <summary>Sends the end of a function without a result.</summary>
    public void Return() => Return(default(Unit));

    /// <summary>Sends the result of an asynchronous function, or leaves it pending.</summary>
    public void ReturnWhenCompleted<T>(Task<T> task)
    {
        if (CheckTask(task).IsCompleted)
        {
            Return(task.GetAwaiter().GetResult());
        }
        else
        {
            LeavePending(task);
        }
    }

    /// <summary>Sends the result of an asynchronous function, or leaves it pending.</summary>
    public void ReturnWhenCompleted<T>(ValueTask<T> task)
    {
        if (task.IsCompleted)
        {
            Return(task.GetAwaiter().GetResult());
        }
        else
        {
            LeavePending(task.AsTask());
        }
    }

    /// <summary>Sends the end of an asynchronous function without a result, or leaves it pending.</summary>
    public void ReturnWhenCompleted(Task task)
    {
        if (CheckTask(task).IsCompleted)
        {
            task.GetAwaiter().GetResult();
            Return();
        }
        else
        {
            LeavePending(task);
        }
    }

    /// <summary>Sends the end of an asynchronous function without a result, or leaves it pending.</summary>
    public void ReturnWhenCompleted(ValueTask task)
    {
        if (task.IsCompleted)
        {
            task.GetAwaiter().GetResult();
            Return();
        }
        else
        {
            LeavePending(task.AsTask());
        }
    }

    /// <summary>Sends the result of an asynchronous function, which must have the type that its signature says, or leaves it pending.</summary>
    public void ReturnWhenCompleted(Task<GuestValue> task, GuestValueType type)
    {
        if (CheckTask(task).IsCompleted)
        {
            Return(task.GetAwaiter().GetResult(), type);
        }
        else
        {
            LeavePending(task, type);
        }
    }

    // Methods of their own: what they capture is allocated for pending tasks alone.
    private void LeavePending<T>(Task<T> task) =>
        Pending = new PendingHostCall(_function, task, (ref HostFunctionFrame frame) => frame.Return(task.GetAwaiter().GetResult()));

    private void LeavePending(Task task) => Pending = new PendingHostCall(_function, task, (ref HostFunctionFrame frame) =>
    {
        task.GetAwaiter().GetResult();
        frame.Return();
    });

    private void LeavePending(Task<GuestValue> task, GuestValueType type) => Pending = new PendingHostCall(
        _function, task, (ref HostFunctionFrame frame) => frame.Return(task.GetAwaiter().GetResult(), type));

    private readonly TTask CheckTask<TTask>(TTask? task)
        where TTask : Task =>
        task ?? throw new InvalidOperationException($"The asynchronous host function '{_function.Name}' returned null instead of a task.");
}
