using System.Diagnostics;

namespace Hyperlight.Programs;

/// <summary>What a run may still use of its limits that the host enforces: a run is several calls of the kernel. Used by one run.</summary>
internal sealed class RunBudget
{
    private static readonly TimeSpan ShortestTime = TimeSpan.FromMilliseconds(1);

    private readonly TimeSpan? _time;
    private readonly TimeSpan? _cpuTime;
    private readonly long? _instructions;
    private CallBudget _call = CallBudget.Unlimited;
    private TimeSpan _usedCpuTime;
    private long? _usedInstructions;

    /// <summary>When the first call began.</summary>
    private long? _start;

    private RunBudget(TimeSpan time, TimeSpan? cpuTime, long? instructions)
    {
        _time = time == Timeout.InfiniteTimeSpan ? null : time;
        _cpuTime = cpuTime;
        _instructions = instructions;
    }

    /// <summary>What the run has used, as far as the host knows.</summary>
    public ProgramUsage Usage => new()
    {
        Time = Elapsed,
        CpuTime = _usedCpuTime,
        Instructions = _usedInstructions,
    };

    private TimeSpan Elapsed => _start is { } start ? Stopwatch.GetElapsedTime(start) : TimeSpan.Zero;

    /// <summary>The budget of a run, which begins with its first call.</summary>
    public static RunBudget OfRun(ProgramLimits limits) => new(limits.Time, limits.CpuTime, limits.Instructions);

    /// <summary>The budget of the way to a checkpoint.</summary>
    public static RunBudget OfWarmUp(ProgramLimits limits) => new(limits.WarmUpTime, null, null);

    /// <summary>The limits of the next call: what is left, or a little, so that the sandbox finds out that nothing is.</summary>
    public CallBudget BeginCall()
    {
        TimeSpan elapsed = Elapsed;
        _start ??= Stopwatch.GetTimestamp();
        return _call = new CallBudget
        {
            WallClockTime = Left(_time, elapsed),
            CpuTime = Left(_cpuTime, _usedCpuTime),
            Instructions = _instructions is { } limit ? Math.Max(limit - (_usedInstructions ?? 0), 1) : null,
        };
    }

    /// <summary>The call has ended, in whatever way.</summary>
    public void EndCall(CallStatistics used)
    {
        _usedCpuTime += used.CpuTime;
        if (used.Instructions is { } count)
        {
            _usedInstructions = (_usedInstructions ?? 0) + count;
        }
    }

    /// <summary>
    /// The limit of the run that has ended the last call; <see langword="null"/> if it was another budget, such as one of the application's
    /// builder.
    /// </summary>
    public ProgramEnd? EndBy(BudgetExceededException exception) => exception.Budget switch
    {
        BudgetKind.WallClockTime when exception.Limit == _call.WallClockTime?.Ticks => ProgramEnd.TimeLimit,
        BudgetKind.CpuTime when exception.Limit == _call.CpuTime?.Ticks => ProgramEnd.CpuTimeLimit,
        BudgetKind.Instructions when exception.Limit == _call.Instructions => ProgramEnd.InstructionLimit,
        _ => null,
    };

    private static TimeSpan? Left(TimeSpan? limit, TimeSpan used) =>
        limit - used is not { } left ? null : left > ShortestTime ? left : limit < ShortestTime ? limit : ShortestTime;
}
