using System.Globalization;

namespace Hyperlight;

/// <summary>
/// A call, or a guest's initialisation, exceeded a limit of its <see cref="CallBudget"/> and was ended. If the guest was
/// entered, the sandbox is poisoned.
/// </summary>
public sealed class BudgetExceededException : ExecutionCanceledException
{
    /// <summary>Creates the error.</summary>
    /// <param name="budget">The limit that was exceeded.</param>
    /// <param name="limit">Its value; of a time the <see cref="TimeSpan.Ticks"/>.</param>
    /// <param name="used">What was used, in the same unit.</param>
    /// <param name="innerException">What a host function threw during the call, if one did.</param>
    public BudgetExceededException(BudgetKind budget, long limit, long used, Exception? innerException = null)
        : base(budget == BudgetKind.WallClockTime ? CancellationReason.Timeout : CancellationReason.Budget, innerException)
    {
        Budget = budget;
        Limit = limit;
        Used = used;
    }

    /// <inheritdoc/>
    public override string Message =>
        $"The guest's execution was ended: it used {Format(Budget, Used)}, and the limit is {Format(Budget, Limit)}.";

    /// <summary>The limit that was exceeded.</summary>
    public BudgetKind Budget { get; }

    /// <summary>The limit: a number, or of a time the <see cref="TimeSpan.Ticks"/>.</summary>
    public long Limit { get; }

    /// <summary>
    /// What was used when the call was ended, in the unit of <see cref="Limit"/>. What the guest asked for last is included,
    /// although it did not get it.
    /// </summary>
    public long Used { get; }

    private static string Format(BudgetKind budget, long value) => budget switch
    {
        BudgetKind.WallClockTime => $"{Milliseconds(value)} ms of wall-clock time",
        BudgetKind.CpuTime => $"{Milliseconds(value)} ms of CPU time",
        BudgetKind.Instructions => $"{value} instructions",
        BudgetKind.HostCalls => $"{value} host calls",
        BudgetKind.LogRecords => $"{value} log records",
        _ => $"{value} printed bytes",
    };

    private static string Milliseconds(long ticks) =>
        TimeSpan.FromTicks(ticks).TotalMilliseconds.ToString("0.###", CultureInfo.InvariantCulture);
}
