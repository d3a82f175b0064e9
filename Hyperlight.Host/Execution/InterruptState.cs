using Hyperlight.Abstractions;

namespace Hyperlight.Host.Execution;

/// <summary>
/// What a sandbox and those who want to interrupt it share. A request counts for the call in progress: it is cleared when a
/// call starts and survives the exits within one. The driver may report a cancellation late, when the request was meant for
/// an earlier call; then no request is set here and the guest is entered again.
/// </summary>
internal sealed class InterruptState
{
    private volatile bool _isRequested;
    private volatile bool _isInGuest;
    private volatile IVirtualMachine? _machine;

    public InterruptState(IVirtualMachine machine) => _machine = machine;

    /// <summary>Whether the call in progress is to end.</summary>
    public bool IsRequested => _isRequested;

    /// <summary>Whether the virtual machine is gone.</summary>
    public bool IsDetached => _machine is null;

    /// <summary>Forgets requests that came before this call.</summary>
    public void BeginCall() => _isRequested = false;

    public void EnterGuest() => _isInGuest = true;

    public void LeaveGuest() => _isInGuest = false;

    /// <summary>Asks the call in progress to end.</summary>
    /// <returns>Whether the guest was running.</returns>
    public bool Request()
    {
        if (_machine is not { } machine)
        {
            return false;
        }

        _isRequested = true;
        bool wasInGuest = _isInGuest;
        machine.Cancel();
        return wasInGuest;
    }

    /// <summary>The virtual machine is about to be disposed: later requests do nothing.</summary>
    public void Detach() => _machine = null;
}
