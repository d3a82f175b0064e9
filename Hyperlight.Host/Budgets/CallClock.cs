using System.Diagnostics;

namespace Hyperlight.Host.Budgets;

/// <summary>
/// How long something of one call has taken: the call itself, or its vCPU. One thread starts and stops the clock; any thread can
/// read it, and never sees a time before an earlier one of the same call: the state is one word.
/// </summary>
internal sealed class CallClock
{
    /// <summary>
    /// While the clock runs: the time stamp at which it would have started if it had not stopped in between, which is positive.
    /// Otherwise the complement of the time, which is negative.
    /// </summary>
    private long _state = ~0L;

    /// <summary>Whether the clock runs.</summary>
    public bool IsRunning => Volatile.Read(ref _state) >= 0;

    /// <summary>How long the clock has run.</summary>
    public TimeSpan Elapsed
    {
        get
        {
            long state = Volatile.Read(ref _state);
            return Stopwatch.GetElapsedTime(0, state < 0 ? ~state : Stopwatch.GetTimestamp() - state);
        }
    }

    /// <summary>A call begins: the clock is stopped at zero.</summary>
    public void Reset() => Volatile.Write(ref _state, ~0L);

    /// <summary>The clock runs from now on. What follows sees this in the order of the program, on every thread.</summary>
    public void Start() => Interlocked.Exchange(ref _state, Stopwatch.GetTimestamp() - ~_state);

    /// <summary>The clock stops.</summary>
    public void Stop() => Volatile.Write(ref _state, ~(Stopwatch.GetTimestamp() - _state));
}
