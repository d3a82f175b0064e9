namespace Hyperlight.Host.Sandboxes;

/// <summary>What is checked of a token and a time limit before a guest runs.</summary>
internal static class CallLimits
{
    /// <summary>The longest time limit, in milliseconds: that of the runtime's timers, 49.7 days.</summary>
    private const uint MaximumMilliseconds = uint.MaxValue - 1;

    /// <exception cref="ArgumentOutOfRangeException">The limit is not positive, or too long, and not infinite.</exception>
    public static TimeSpan CheckTimeout(TimeSpan timeout, string name)
    {
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero, name);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(timeout, TimeSpan.FromMilliseconds(MaximumMilliseconds), name);
        }

        return timeout;
    }

    /// <exception cref="ExecutionCanceledException">The token is cancelled.</exception>
    public static void ThrowIfCancelled(CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            throw new ExecutionCanceledException(cancellationToken);
        }
    }
}
