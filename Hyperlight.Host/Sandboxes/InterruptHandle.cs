using Hyperlight.Host.Execution;

namespace Hyperlight;

/// <summary>
/// Interrupts calls of a sandbox from any thread. The handle can be used after the sandbox was disposed. For time limits,
/// use <see cref="SandboxConfiguration.Budget"/>; a call can also have a limit of its own and a <see
/// cref="CancellationToken"/>.
/// </summary>
public sealed class InterruptHandle
{
    private readonly Interrupter _interrupts;

    internal InterruptHandle(Interrupter interrupts) => _interrupts = interrupts;

    /// <summary>Whether the sandbox was disposed.</summary>
    public bool IsDetached => _interrupts.IsDetached;

    /// <summary>
    /// Ends the call in progress with <see cref="ExecutionCanceledException"/>. A host function that is running is not
    /// interrupted, but its <see cref="CancellationToken"/> is cancelled, and the guest is not entered again after it.
    /// <see cref="MultiUseSandbox.TakeSnapshot"/> is ended in the same way, and the guest is not affected then. Has no effect
    /// if nothing is in progress; the next call is not affected. Never throws.
    /// </summary>
    /// <returns><see langword="true"/> if the guest was executing at that moment.</returns>
    public bool Cancel() => _interrupts.Request(CancellationReason.InterruptHandle);
}
