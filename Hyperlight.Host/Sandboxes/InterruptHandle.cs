using Hyperlight.Host.Execution;

namespace Hyperlight;

/// <summary>
/// Interrupts a sandbox from any thread. It may outlive the sandbox. There is no built-in timeout: set a timer that calls
/// <see cref="Cancel"/>, or pass a <see cref="CancellationToken"/> to the call.
/// </summary>
public sealed class InterruptHandle
{
    private readonly InterruptState _state;

    internal InterruptHandle(InterruptState state) => _state = state;

    /// <summary>Whether the sandbox is gone.</summary>
    public bool IsDetached => _state.IsDetached;

    /// <summary>
    /// Ends the call in progress with <see cref="ExecutionCanceledException"/>. A host function that is running is not
    /// interrupted, but the guest is not entered again after it. Without a call in progress nothing happens, also not to
    /// the next call.
    /// </summary>
    /// <returns><see langword="true"/> if the guest was executing at that moment.</returns>
    public bool Cancel() => _state.Request();
}
