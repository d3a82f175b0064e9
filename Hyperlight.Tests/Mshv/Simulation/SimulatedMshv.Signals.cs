namespace Hyperlight.Tests.Mshv;

/// <summary>
/// Signals with a handler that does nothing: one interrupts a run that its thread is in, and has no effect otherwise.
/// </summary>
internal sealed partial class SimulatedMshv
{
    private readonly Dictionary<int, SimulatedVp> _running = [];
    private readonly HashSet<int> _caught = [];

    /// <summary>Whether a thread is inside MSHV_RUN_VP.</summary>
    public bool IsAnyRunning => Locked(() => _running.Count > 0);

    public override int CatchSignal(int signal)
    {
        lock (_lock)
        {
            NoteCall("sigaction");
            _caught.Add(signal);
            return 0;
        }
    }

    public override int SendSignal(int threadId, int signal)
    {
        lock (_lock)
        {
            NoteCall("tgkill");
            if (!_caught.Contains(signal))
            {
                Violations.Add($"signal {signal} without a handler: it interrupts nothing, or ends the process");
            }

            if (Traits.SignalError != 0)
            {
                return -Traits.SignalError;
            }

            if (Traits.SignalsMissed > 0)
            {
                Traits.SignalsMissed--;
            }
            else if (_running.TryGetValue(threadId, out SimulatedVp? vp))
            {
                vp.Interrupt();
            }

            return 0;
        }
    }

    private void NoteCall(string name)
    {
        if (KeepsJournal)
        {
            Journal.Add(name);
        }
    }

    /// <summary>The calling thread is inside MSHV_RUN_VP.</summary>
    internal void Enter(SimulatedVp vp)
    {
        lock (_lock)
        {
            _running[GetThreadId()] = vp;
        }
    }

    /// <summary>The calling thread has left it.</summary>
    internal void Leave()
    {
        lock (_lock)
        {
            _running.Remove(GetThreadId());
        }
    }
}
