using System.Diagnostics;

namespace Hyperlight.Host.Execution;

/// <summary>
/// Tells operations that their time is over, on a thread of its own: unlike the timers of the runtime it does not depend on
/// the thread pool, which guests may keep busy.
/// </summary>
/// <remarks>
/// The thread is woken only for a deadline that is earlier than the moment at which it wakes up anyway. A disarmed deadline
/// does not change that moment, so that a series of short calls with one limit wakes it once in the time of the limit.
/// </remarks>
internal sealed class DeadlineTimer
{
    private readonly object _sync = new();
    private readonly DeadlineList _deadlines = new();
    private Thread? _thread;

    /// <summary>When the thread looks next at the deadlines; <see cref="long.MinValue"/> while it does.</summary>
    private long _wakeTime = long.MinValue;

    /// <summary>Starts the thread. Tests replace it: the system may have no thread to give.</summary>
    internal Action<Thread> StartThread { get; init; } = static thread => thread.UnsafeStart();

    /// <summary>The one that all sandboxes of the process use.</summary>
    public static DeadlineTimer Shared { get; } = new();

    /// <summary>Arms a deadline, or changes one that is armed.</summary>
    /// <param name="deadline">The deadline.</param>
    /// <param name="delay">How long from now it expires.</param>
    /// <param name="operation">The number that it hands over then.</param>
    public void Arm(Deadline deadline, TimeSpan delay, ulong operation)
    {
        long due = Stopwatch.GetTimestamp() + (long)(delay.TotalSeconds * Stopwatch.Frequency);
        lock (_sync)
        {
            if (_thread is null)
            {
                // If the system has no thread to give, the call fails, and a later one tries again.
                var thread = new Thread(Run) { IsBackground = true, Name = "Hyperlight time limits" };
                StartThread(thread);
                _thread = thread;
            }
            else if (due < _wakeTime)
            {
                Monitor.Pulse(_sync);
            }

            _deadlines.Arm(deadline, due, operation);
        }
    }

    /// <summary>Disarms a deadline if it is armed. It may be expiring at this moment.</summary>
    public void Disarm(Deadline deadline)
    {
        lock (_sync)
        {
            _deadlines.Disarm(deadline);
        }
    }

    /// <summary>Tells the operations whose time is over.</summary>
    /// <param name="now">The time.</param>
    /// <param name="due">An empty list, which receives them.</param>
    internal void ExpireDue(long now, List<(Deadline Deadline, ulong Operation)> due)
    {
        lock (_sync)
        {
            _deadlines.TakeDue(now, due);
        }

        foreach ((Deadline deadline, ulong operation) in due)
        {
            deadline.Expire(operation);
        }
    }

    private void Run()
    {
        List<(Deadline, ulong)> due = [];
        while (true)
        {
            lock (_sync)
            {
                WaitForDue();
            }

            ExpireDue(Stopwatch.GetTimestamp(), due);
            due.Clear();
        }
    }

    private void WaitForDue()
    {
        while (true)
        {
            _wakeTime = _deadlines.Earliest();
            long left = _wakeTime - Stopwatch.GetTimestamp();
            if (left <= 0)
            {
                break;
            }

            Monitor.Wait(_sync, ToMilliseconds(left));
        }

        _wakeTime = long.MinValue;
    }

    private static int ToMilliseconds(long ticks) =>
        (int)Math.Min(int.MaxValue, Math.Ceiling((double)ticks * 1000 / Stopwatch.Frequency));
}
