using System.Globalization;

namespace Hyperlight;

/// <summary>
/// The host ended a call, a guest's initialisation or the taking of a snapshot before it was complete; <see cref="Reason"/>
/// is the cause. If the guest was entered, the sandbox is poisoned.
/// </summary>
public sealed class ExecutionCanceledException : OperationCanceledException
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

    /// <summary>Creates the error for a call that exceeded its time limit.</summary>
    /// <param name="timeout">The time limit.</param>
    /// <param name="innerException">What a host function threw during the call, if one did.</param>
    public ExecutionCanceledException(TimeSpan timeout, Exception? innerException = null)
        : this(
            CancellationReason.Timeout,
            string.Create(CultureInfo.InvariantCulture, $"The guest's execution was ended after its time limit of {timeout.TotalMilliseconds:0.###} ms."),
            innerException) =>
        Timeout = timeout;

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

    /// <summary>The limit that was exceeded, if <see cref="Reason"/> is <see cref="CancellationReason.Timeout"/>.</summary>
    public TimeSpan? Timeout { get; }
}
