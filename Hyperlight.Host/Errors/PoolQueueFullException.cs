namespace Hyperlight;

/// <summary>All sandboxes of a pool are in use, and as many callers wait as are allowed. The same request can succeed later.</summary>
public sealed class PoolQueueFullException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="poolName">The pool.</param>
    /// <param name="waiting">How many callers wait.</param>
    /// <param name="queueLength">How many callers can wait.</param>
    /// <param name="maximumSize">The largest number of sandboxes of the pool.</param>
    public PoolQueueFullException(string poolName, int waiting, int queueLength, int maximumSize)
        : base($"The pool '{poolName}' refuses the request: all {maximumSize} sandboxes are in use or not ready, and {waiting} callers wait. "
            + $"Set {nameof(SandboxPoolOptions.MaximumSize)} or {nameof(SandboxPoolOptions.QueueLength)}, which is {queueLength}, to a larger value, or send fewer requests.")
    {
        PoolName = poolName;
        Waiting = waiting;
        QueueLength = queueLength;
        MaximumSize = maximumSize;
    }

    /// <summary>The pool.</summary>
    public string PoolName { get; }

    /// <summary>How many callers waited at that time.</summary>
    public int Waiting { get; }

    /// <summary>How many callers can wait.</summary>
    public int QueueLength { get; }

    /// <summary>The largest number of sandboxes of the pool.</summary>
    public int MaximumSize { get; }
}
