using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <summary>
/// The options of a pool. Immutable: use a <c>with</c> expression to change a copy. Each value is checked when it is set; <see
/// cref="MinimumSize"/> is compared with <see cref="MaximumSize"/> when a pool is created.
/// </summary>
public sealed record SandboxPoolOptions
{
    /// <summary>The largest <see cref="MaximumSize"/>.</summary>
    public const int LargestSize = 65_536;

    /// <summary>The largest <see cref="QueueLength"/>.</summary>
    public const int LargestQueueLength = 1_000_000;

    /// <summary>
    /// The largest number of sandboxes that exist at a time, idle ones included. Default: 2 for each processor. Each sandbox
    /// uses the host memory that its guest has changed, up to <see cref="SandboxConfiguration.ScratchSize"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Below 1, or above <see cref="LargestSize"/>.</exception>
    public int MaximumSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1, nameof(MaximumSize));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestSize, nameof(MaximumSize));
            field = value;
        }
    } = Math.Min(2 * Environment.ProcessorCount, LargestSize);

    /// <summary>
    /// The number of sandboxes that are created when the application starts, and that are kept when nothing uses them. Default 1.
    /// At most <see cref="MaximumSize"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or above <see cref="LargestSize"/>.</exception>
    public int MinimumSize
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(MinimumSize));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestSize, nameof(MinimumSize));
            field = value;
        }
    } = 1;

    /// <summary>
    /// How many callers can wait for a sandbox when all are in use. Further ones get a <see cref="PoolQueueFullException"/> at
    /// once, which protects the application from more load than it can handle. Default 1000. With 0, no caller waits for a
    /// sandbox that is in use.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Negative, or above <see cref="LargestQueueLength"/>.</exception>
    public int QueueLength
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value, nameof(QueueLength));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, LargestQueueLength, nameof(QueueLength));
            field = value;
        }
    } = 1000;

    /// <summary>
    /// How long a caller waits for a sandbox. Default 30 seconds. Afterwards it gets a <see cref="PoolTimeoutException"/>.
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, negative and not infinite, or above 4,294,967,294 milliseconds (49.7 days).</exception>
    public TimeSpan WaitTimeout
    {
        get;
        init => field = CallLimits.CheckTimeout(value, nameof(WaitTimeout));
    } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a sandbox above <see cref="MinimumSize"/> is kept when nothing uses it, and in the mode <see
    /// cref="SandboxIsolation.KeepStatePerKey"/> how long the state of a key is kept. Default 5 minutes. <see
    /// cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, negative and not infinite, or above 4,294,967,294 milliseconds (49.7 days).</exception>
    public TimeSpan IdleTimeout
    {
        get;
        init => field = CallLimits.CheckTimeout(value, nameof(IdleTimeout));
    } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long the pool waits for leases when it is closed. Default 10 seconds. Afterwards their calls are ended and their
    /// sandboxes are disposed. Never infinite.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Zero, negative, infinite, or above 4,294,967,294 milliseconds (49.7 days).</exception>
    public TimeSpan DrainTimeout
    {
        get;
        init
        {
            ArgumentOutOfRangeException.ThrowIfEqual(value, Timeout.InfiniteTimeSpan, nameof(DrainTimeout));
            field = CallLimits.CheckTimeout(value, nameof(DrainTimeout));
        }
    } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Limits of each call of the pool's sandboxes, in addition to those of their configuration. The tightest of each kind
    /// applies. Default <see cref="CallBudget.Unlimited"/>.
    /// </summary>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    public CallBudget Budget
    {
        get;
        init
        {
            ArgumentNullException.ThrowIfNull(value, nameof(Budget));
            field = value;
        }
    } = CallBudget.Unlimited;

    /// <summary>What the pool does between two uses of a sandbox. Default <see cref="SandboxIsolation.RestoreAfterUse"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not a member of the enumeration.</exception>
    public SandboxIsolation Isolation
    {
        get;
        init => field = Enum.IsDefined(value) ? value : throw new ArgumentOutOfRangeException(nameof(Isolation), value, "There is no such mode.");
    }

    /// <summary>
    /// Whether the stack of the caller is captured with each lease, so that the report of a lease that was never returned says
    /// where it was rented. Default <see langword="false"/>: the report names the pool and the last function that was called.
    /// Capturing takes tens of microseconds for each rent: set it to find an error.
    /// </summary>
    public bool CaptureRentStack { get; init; }

    /// <summary>Values that contradict each other, or <see langword="null"/>.</summary>
    internal string? Problem => MinimumSize <= MaximumSize ? null
        : $"{nameof(MinimumSize)} is {MinimumSize}, but {nameof(MaximumSize)} is {MaximumSize}. Set it to at most {MaximumSize}.";

    /// <exception cref="ArgumentException">Two values contradict each other.</exception>
    internal void Check()
    {
        if (Problem is { } problem)
        {
            throw new ArgumentException(problem);
        }
    }
}
