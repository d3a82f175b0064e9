namespace Hyperlight.Host.Sandboxes;

/// <summary>
/// Lets one call at a time into a sandbox and tells who has to release its resources: the one who disposes it, or the call
/// in progress when it ends.
/// </summary>
internal sealed class SandboxGate
{
    private const int Idle = 0;
    private const int Busy = 1;
    private const int BusyAndDoomed = 2;
    private const int Closed = 3;

    private int _state;

    /// <summary>Whether the sandbox was disposed, or will be when the call in progress ends.</summary>
    public bool IsClosed => Volatile.Read(ref _state) >= BusyAndDoomed;

    /// <summary>Enters, or says why not.</summary>
    /// <exception cref="SandboxInUseException">A call is in progress.</exception>
    /// <exception cref="ObjectDisposedException">The sandbox was disposed.</exception>
    public void Enter(string operation, object sandbox)
    {
        int previous = Interlocked.CompareExchange(ref _state, Busy, Idle);
        if (previous != Idle)
        {
            ObjectDisposedException.ThrowIf(previous != Busy, sandbox);
            throw new SandboxInUseException(operation);
        }
    }

    /// <summary>Leaves.</summary>
    /// <returns>Whether the sandbox was disposed meanwhile, so that the caller must release its resources now.</returns>
    public bool Leave()
    {
        if (Interlocked.CompareExchange(ref _state, Idle, Busy) == Busy)
        {
            return false;
        }

        Volatile.Write(ref _state, Closed);
        return true;
    }

    /// <summary>Closes the gate for good.</summary>
    /// <param name="isBusy">Whether a call is in progress, which will then release the resources.</param>
    /// <returns>Whether the caller must release the resources now.</returns>
    public bool Close(out bool isBusy)
    {
        isBusy = Interlocked.CompareExchange(ref _state, BusyAndDoomed, Busy) == Busy;
        return !isBusy && Interlocked.CompareExchange(ref _state, Closed, Idle) == Idle;
    }
}
