using Hyperlight.Abstractions;

namespace Hyperlight.Host.Budgets;

/// <summary>
/// Counts what the call in progress uses, and knows its limits. The counters keep their values until the next call begins.
/// Written by the thread that runs the call; any thread can read it.
/// </summary>
/// <param name="instructions">The instructions that the guest executes.</param>
/// <param name="writeTracker">What knows the pages that the guest writes; <see langword="null"/> if nothing does.</param>
internal sealed class CallMeter(InstructionLimit instructions, IWriteTracker? writeTracker = null)
{
    /// <summary>Runs from the beginning of the call to its end.</summary>
    private readonly CallClock _wallClock = new();

    private long _writtenPagesAtBegin;
    private long _hostCalls;
    private long _logRecords;
    private long _printedBytes;

    /// <summary>The limits of the call.</summary>
    public BudgetLimits Limits { get; private set; } = new(CallBudget.Unlimited);

    /// <summary>How long the vCPU has run.</summary>
    public CallClock Cpu { get; } = new();

    /// <summary>What has been used so far, or by the last call.</summary>
    public CallStatistics Statistics => new()
    {
        WallClockTime = _wallClock.Elapsed,
        CpuTime = Cpu.Elapsed,
        Instructions = instructions.CountOfCall,
        DirtyPages = DirtyPages,
        HostCalls = Volatile.Read(ref _hostCalls),
        LogRecords = Volatile.Read(ref _logRecords),
        PrintedBytes = Volatile.Read(ref _printedBytes),
    };

    private long? DirtyPages
    {
        get
        {
            // In this order: if a call begins meanwhile, the difference is not negative.
            long atBegin = Volatile.Read(ref _writtenPagesAtBegin);
            return writeTracker?.WrittenPageCount - atBegin;
        }
    }

    /// <summary>A call begins.</summary>
    /// <exception cref="UnsupportedConfigurationException">The limits include one that the driver cannot enforce.</exception>
    public void Begin(in BudgetLimits limits)
    {
        instructions.Begin(limits.Instructions);
        Limits = limits;
        Clear();
        _wallClock.Start();
    }

    /// <summary>Nothing is known of earlier calls any more. No call is in progress.</summary>
    public void Forget()
    {
        instructions.Forget();
        Clear();
    }

    /// <summary>The call has ended. Has no effect if that is known.</summary>
    public void End()
    {
        if (_wallClock.IsRunning)
        {
            _wallClock.Stop();
        }
    }

    /// <summary>The guest calls a host function.</summary>
    /// <param name="hostFunctionError">What a host function threw before, if one did.</param>
    /// <exception cref="BudgetExceededException">It has called as many as it may.</exception>
    public void CountHostCall(Exception? hostFunctionError) =>
        Count(BudgetKind.HostCalls, ref _hostCalls, 1, Limits.HostCalls, hostFunctionError);

    /// <summary>The guest sends a log record.</summary>
    /// <exception cref="BudgetExceededException">It has sent as many as it may.</exception>
    /// <inheritdoc cref="CountHostCall"/>
    public void CountLogRecord(Exception? hostFunctionError) =>
        Count(BudgetKind.LogRecords, ref _logRecords, 1, Limits.LogRecords, hostFunctionError);

    /// <summary>The guest prints text of a number of bytes.</summary>
    /// <exception cref="BudgetExceededException">It is more than the guest may print.</exception>
    /// <inheritdoc cref="CountHostCall"/>
    public void CountPrintedBytes(int count, Exception? hostFunctionError) =>
        Count(BudgetKind.PrintedBytes, ref _printedBytes, count, Limits.PrintedBytes, hostFunctionError);

    /// <summary>The error for a call that has used its wall-clock time.</summary>
    public BudgetExceededException WallClockTimeExceeded(Exception? hostFunctionError) =>
        new(BudgetKind.WallClockTime, Limits.WallClockTime.Ticks, _wallClock.Elapsed.Ticks, hostFunctionError);

    /// <summary>The error for a call whose vCPU has run for too long.</summary>
    public BudgetExceededException CpuTimeExceeded(Exception? hostFunctionError) =>
        new(BudgetKind.CpuTime, Limits.CpuTime.Ticks, Cpu.Elapsed.Ticks, hostFunctionError);

    /// <summary>The error for a guest that has executed as many instructions as it may.</summary>
    public BudgetExceededException InstructionsExceeded(Exception? hostFunctionError) =>
        new(BudgetKind.Instructions, Limits.Instructions, instructions.CountOfCall ?? Limits.Instructions, hostFunctionError);

    private void Clear()
    {
        _wallClock.Reset();
        Cpu.Reset();
        Volatile.Write(ref _writtenPagesAtBegin, writeTracker?.WrittenPageCount ?? 0);
        _hostCalls = 0;
        _logRecords = 0;
        _printedBytes = 0;
    }

    private static void Count(BudgetKind kind, ref long used, long amount, long limit, Exception? hostFunctionError)
    {
        long sum = used + amount;
        Volatile.Write(ref used, sum);
        if (sum > limit)
        {
            throw new BudgetExceededException(kind, limit, sum, hostFunctionError);
        }
    }
}
