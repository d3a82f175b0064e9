using Hyperlight.Host.Execution;
using Hyperlight.Host.Sandboxes;

namespace Hyperlight.Host.Budgets;

/// <summary>
/// Ends a call whose vCPU has run for too long. A deadline is armed when the vCPU runs, for the time that is left. If it expires
/// while a host function runs, the next entry of the guest arms it again.
/// </summary>
internal sealed class CpuTimeLimit
{
    private readonly Lock _lock = new();
    private readonly DeadlineTimer _timer;
    private readonly SandboxGate _gate;
    private readonly CallClock _clock;
    private readonly Action<ulong> _exceeded;
    private readonly Deadline _deadline;
    private bool _isArmed;

    /// <summary>The limit of the call in progress; the largest value if it has none, or if no call is in progress.</summary>
    private TimeSpan _limit = TimeSpan.MaxValue;

    /// <param name="timer">Serves the limit.</param>
    /// <param name="gate">The operations of the sandbox.</param>
    /// <param name="clock">How long the vCPU has run.</param>
    /// <param name="exceeded">Ends an operation, on the timer's thread.</param>
    public CpuTimeLimit(DeadlineTimer timer, SandboxGate gate, CallClock clock, Action<ulong> exceeded)
    {
        _timer = timer;
        _gate = gate;
        _clock = clock;
        _exceeded = exceeded;
        _deadline = new Deadline(_ => Expire());
    }

    /// <summary>Whether the call in progress has used all of its time.</summary>
    public bool IsExceeded => _limit != TimeSpan.MaxValue && Left <= TimeSpan.Zero;

    private TimeSpan Left => _limit - _clock.Elapsed;

    /// <summary>A call begins.</summary>
    /// <param name="limit">Its limit, or the largest value.</param>
    public void Begin(TimeSpan limit) => _limit = limit;

    /// <summary>The guest is entered, and the clock runs.</summary>
    public void Watch()
    {
        if (_limit == TimeSpan.MaxValue || Volatile.Read(ref _isArmed))
        {
            return;
        }

        lock (_lock)
        {
            Arm(Left);
        }
    }

    /// <summary>The call has ended.</summary>
    public void End()
    {
        if (_limit == TimeSpan.MaxValue)
        {
            return;
        }

        lock (_lock)
        {
            _limit = TimeSpan.MaxValue;
            Volatile.Write(ref _isArmed, false);
            _timer.Disarm(_deadline);
        }
    }

    private void Arm(TimeSpan left)
    {
        _timer.Arm(_deadline, left > TimeSpan.Zero ? left : TimeSpan.Zero, _gate.Operation);
        Volatile.Write(ref _isArmed, true);
    }

    /// <summary>Called on the timer's thread.</summary>
    private void Expire()
    {
        ulong operation;
        lock (_lock)
        {
            if (_limit == TimeSpan.MaxValue)
            {
                // The call has ended.
                return;
            }

            // Before the clock is read: either this sees that the clock runs, or the entry that starts it sees that nothing is armed.
            Interlocked.Exchange(ref _isArmed, false);
            if (!_clock.IsRunning)
            {
                return;
            }

            if (Left is var left && left > TimeSpan.Zero)
            {
                Arm(left);
                return;
            }

            operation = _gate.Operation;
        }

        _exceeded(operation);
    }
}
