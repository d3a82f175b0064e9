namespace Hyperlight;

/// <summary>
/// A call was ended by an <see cref="InterruptHandle"/>. The guest stopped somewhere in the middle, so the sandbox is
/// poisoned. A call that was ended by its <see cref="CancellationToken"/> throws
/// <see cref="OperationCanceledException"/> with this exception inside.
/// </summary>
public sealed class ExecutionCanceledException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    public ExecutionCanceledException()
        : base("The guest's execution was cancelled by the host.")
    {
    }
}
