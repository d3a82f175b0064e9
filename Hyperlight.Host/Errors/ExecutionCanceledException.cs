namespace Hyperlight;

/// <summary>
/// The host ended a call, a guest's initialisation or the taking of a snapshot before it was complete; <see cref="Reason"/>
/// is the cause. If the guest was entered, the sandbox is poisoned. A call that exceeded its budget is a <see
/// cref="BudgetExceededException"/>.
/// </summary>
public class ExecutionCanceledException : OperationCanceledException
{
    private ExecutionCanceledException(
        CancellationReason reason, string message, Exception? innerException, CancellationToken cancellationToken = default)
        : base(message, innerException, cancellationToken) =>
        Reason = reason;

    /// <summary>Creates the error for a call that its token ended.</summary>
    /// <param name="cancellationToken">The token.</param>
    /// <param name="innerException">What a host function threw during the call, if one did.</param>
    public ExecutionCanceledException(CancellationToken cancellationToken, Exception? innerException = null)
        : this(
            CancellationReason.CancellationToken,
            "The guest's execution was ended by the call's cancellation token.",
            innerException,
            cancellationToken)
    {
    }

    /// <summary>Creates the error for a call that an <see cref="InterruptHandle"/> or the sandbox's disposal ended.</summary>
    /// <param name="reason"><see cref="CancellationReason.InterruptHandle"/> or <see cref="CancellationReason.Disposal"/>.</param>
    /// <param name="innerException">What a host function threw during the call, if one did.</param>
    public ExecutionCanceledException(CancellationReason reason, Exception? innerException = null)
        : this(
            reason,
            reason == CancellationReason.Disposal
                ? "The operation was ended because its sandbox was disposed."
                : "The operation was ended through the sandbox's interrupt handle.",
            innerException)
    {
    }

    /// <summary>What ended the execution.</summary>
    public CancellationReason Reason { get; }
}
