using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <summary>
/// Limits of one call. The first that is exceeded ends the call with a <see cref="BudgetExceededException"/>. Immutable: use a
/// <c>with</c> expression to change a copy. Default: no limit.
/// </summary>
/// <remarks>
/// A sandbox has a budget (<see cref="SandboxConfiguration.Budget"/>), a pool can have another (<see
/// cref="SandboxPoolOptions.Budget"/>), and each call a third. They compose: the tightest limit of each kind applies.
/// </remarks>
public sealed record CallBudget
{
    /// <summary>No limit.</summary>
    public static CallBudget Unlimited { get; } = new();

    /// <summary>
    /// How long the call may take, including its host functions and, for an asynchronous call, the wait for a thread. Default
    /// <see langword="null"/>: no limit, so that a hostile guest can occupy a thread indefinitely. The limit does not depend on
    /// the thread pool.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, negative, or above 4,294,967,294 milliseconds (49.7 days).</exception>
    public TimeSpan? WallClockTime
    {
        get;
        init => field = CheckTime(value, nameof(WallClockTime));
    }

    /// <summary>
    /// How long the guest's virtual processor may run: host functions are not included. Default <see langword="null"/>: no limit.
    /// The time is that of the host's clock, also while the operating system lets other threads run.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, negative, or above 4,294,967,294 milliseconds (49.7 days).</exception>
    public TimeSpan? CpuTime
    {
        get;
        init => field = CheckTime(value, nameof(CpuTime));
    }

    /// <summary>
    /// How many instructions the guest may execute. Default <see langword="null"/>: no limit. A guest that exceeds it ends always
    /// at the same instruction. Only drivers that count instructions support this, such as the emulator; with others, building a
    /// sandbox, or the call whose budget this is, fails with an <see cref="UnsupportedConfigurationException"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero or negative.</exception>
    public long? Instructions
    {
        get;
        init
        {
            if (value is { } count)
            {
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count, nameof(Instructions));
            }

            field = value;
        }
    }

    /// <summary>How many host functions the guest may call, <c>HostPrint</c> included. Default <see langword="null"/>: no limit.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long? HostCalls
    {
        get;
        init => field = CheckCount(value, nameof(HostCalls));
    }

    /// <summary>
    /// How many log records the guest may send, also records that the host drops because of their level. Default <see
    /// langword="null"/>: no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long? LogRecords
    {
        get;
        init => field = CheckCount(value, nameof(LogRecords));
    }

    /// <summary>
    /// How many bytes of UTF-8 the guest may print, through the host function <c>HostPrint</c> and the debug port together. Text
    /// that exceeds the limit is not printed. Default <see langword="null"/>: no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative.</exception>
    public long? PrintedBytes
    {
        get;
        init => field = CheckCount(value, nameof(PrintedBytes));
    }

    /// <summary>Combines two budgets.</summary>
    /// <param name="other">The other budget.</param>
    /// <returns>A budget with the tighter limit of each kind.</returns>
    public CallBudget Tighten(CallBudget other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (other == Unlimited)
        {
            return this;
        }

        return new CallBudget
        {
            WallClockTime = Least(WallClockTime, other.WallClockTime),
            CpuTime = Least(CpuTime, other.CpuTime),
            Instructions = Least(Instructions, other.Instructions),
            HostCalls = Least(HostCalls, other.HostCalls),
            LogRecords = Least(LogRecords, other.LogRecords),
            PrintedBytes = Least(PrintedBytes, other.PrintedBytes),
        };
    }

    private static T? Least<T>(T? left, T? right)
        where T : struct, IComparable<T> =>
        left is { } a && right is { } b ? a.CompareTo(b) <= 0 ? a : b : left ?? right;

    private static TimeSpan? CheckTime(TimeSpan? value, string name)
    {
        if (value is { } time)
        {
            // Infinite is negative: no limit is written as null.
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero, name);
            CallLimits.CheckTimeout(time, name);
        }

        return value;
    }

    private static long? CheckCount(long? value, string name)
    {
        if (value is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(count, name);
        }

        return value;
    }
}
