using Hyperlight.Host.Execution;

namespace Hyperlight;

/// <summary>
/// Interrupts a sandbox from any thread. It may outlive the sandbox. For a time limit there is
/// <see cref="SandboxConfiguration.CallTimeout"/>, and a call takes a limit and a <see cref="CancellationToken"/> of its own.
/// </summary>
public sealed class InterruptHandle
{
    private readonly Interrupter _interrupts;

    internal InterruptHandle(Interrupter interrupts) => _interrupts = interrupts;

    /// <summary>Whether the sandbox is gone.</summary>
    public bool IsDetached => _interrupts.IsDetached;

    /// <summary>
    /// Ends the call in progress with <see cref="ExecutionCanceledException"/>. A host function that is running is not
    /// interrupted, but its <see cref="CancellationToken"/> is cancelled, and the guest is not entered again after it.
    /// Without a call in progress nothing happens, also not to the next call. This never throws.
    /// </summary>
    /// <returns><see langword="true"/> if the guest was executing at that moment.</returns>
    public bool Cancel() => _interrupts.Request(CancellationReason.InterruptHandle);
}
