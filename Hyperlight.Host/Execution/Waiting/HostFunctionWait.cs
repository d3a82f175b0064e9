namespace Hyperlight.Host.Execution.Waiting;

/// <summary>Waits until the task of a host function is completed, or the call is to end.</summary>
internal sealed class HostFunctionWait : ICallWaiter
{
    private readonly TaskCompletionSource _over = new();

    /// <param name="operation">The number of the call.</param>
    /// <param name="hostFunction">The task of the host function.</param>
    public HostFunctionWait(ulong operation, Task hostFunction)
    {
        Operation = operation;
        hostFunction.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(End);
    }

    /// <inheritdoc/>
    public ulong Operation { get; }

    /// <summary>Completed when the wait is over. What continues it runs on the thread that ends the wait, and must return soon.</summary>
    public Task Over => _over.Task;

    /// <inheritdoc/>
    public void End() => _over.TrySetResult();
}
