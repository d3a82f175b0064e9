using Hyperlight.Host.Protocol;
using Hyperlight.Host.Wire;

namespace Hyperlight.Host.Functions;

/// <summary>A call of a host function whose task has not completed. The guest cannot be entered before it has the answer.</summary>
internal abstract class PendingHostCall(HostFunction function)
{
    /// <summary>The host function.</summary>
    public HostFunction Function => function;

    /// <summary>Completes when the function does.</summary>
    public abstract Task Task { get; }

    /// <summary>Puts the result on the guest's input buffer. The task has completed.</summary>
    /// <returns>How the function failed, if it did; nothing is on the buffer then.</returns>
    /// <exception cref="MessageTooLargeException">The result does not fit the input buffer.</exception>
    public abstract HostFunctionFailure? SendResult(SharedBuffer input);
}

/// <summary>A call of a host function with a result of a type of the guest ABI.</summary>
/// <typeparam name="T">The type of the result.</typeparam>
/// <param name="function">The host function.</param>
/// <param name="task">Its task.</param>
internal sealed class PendingHostCall<T>(HostFunction function, Task<T> task) : PendingHostCall(function)
{
    public override Task Task => task;

    public override HostFunctionFailure? SendResult(SharedBuffer input)
    {
        T value;
        long length;
        try
        {
            value = task.GetAwaiter().GetResult();

            // A result that cannot be encoded is the function's failure; one that does not fit is not.
            length = FunctionResultEncoder.EncodeValue(default, value);
        }
        catch (Exception exception)
        {
            return HostFunctionFailure.Threw(Function, exception);
        }

        HostFunctionResult.Send(input, Function.Name, value, length);
        return null;
    }
}
