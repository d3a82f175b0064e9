namespace Hyperlight.Host.Budgets;

/// <summary>
/// The limits that apply to one call, without an object for each call. A limit that is not set has the largest value.
/// </summary>
internal readonly record struct BudgetLimits
{
    public const long None = long.MaxValue;

    public BudgetLimits(CallBudget budget)
    {
        WallClockTime = budget.WallClockTime ?? TimeSpan.MaxValue;
        CpuTime = budget.CpuTime ?? TimeSpan.MaxValue;
        Instructions = budget.Instructions ?? None;
        HostCalls = budget.HostCalls ?? None;
        LogRecords = budget.LogRecords ?? None;
        PrintedBytes = budget.PrintedBytes ?? None;
    }

    public TimeSpan WallClockTime { get; private init; }

    public TimeSpan CpuTime { get; private init; }

    public long Instructions { get; private init; }

    public long HostCalls { get; private init; }

    public long LogRecords { get; private init; }

    public long PrintedBytes { get; private init; }

    /// <summary>The tighter limit of each kind.</summary>
    public BudgetLimits Tighten(CallBudget budget)
    {
        ArgumentNullException.ThrowIfNull(budget);
        var other = new BudgetLimits(budget);
        return new BudgetLimits
        {
            WallClockTime = Least(WallClockTime, other.WallClockTime),
            CpuTime = Least(CpuTime, other.CpuTime),
            Instructions = Math.Min(Instructions, other.Instructions),
            HostCalls = Math.Min(HostCalls, other.HostCalls),
            LogRecords = Math.Min(LogRecords, other.LogRecords),
            PrintedBytes = Math.Min(PrintedBytes, other.PrintedBytes),
        };
    }

    /// <summary>The tighter limit of wall-clock time.</summary>
    /// <param name="timeout">A limit, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    public BudgetLimits Tighten(TimeSpan timeout) =>
        timeout == Timeout.InfiniteTimeSpan ? this : this with { WallClockTime = Least(WallClockTime, timeout) };

    private static TimeSpan Least(TimeSpan left, TimeSpan right) => left <= right ? left : right;
}
