using System.Globalization;

namespace Hyperlight;

/// <summary>No sandbox of a pool became free within the time limit. The same request can succeed later.</summary>
public sealed class PoolTimeoutException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="poolName">The pool.</param>
    /// <param name="waited">How long the caller waited.</param>
    /// <param name="waiting">How many other callers wait.</param>
    /// <param name="maximumSize">The largest number of sandboxes of the pool.</param>
    public PoolTimeoutException(string poolName, TimeSpan waited, int waiting, int maximumSize)
        : base(string.Create(
            CultureInfo.InvariantCulture,
            $"No sandbox of the pool '{poolName}' became free within {waited.TotalMilliseconds:0} ms; {waiting} other callers wait. All {maximumSize} sandboxes are in use or not ready. Set {nameof(SandboxPoolOptions.MaximumSize)} or {nameof(SandboxPoolOptions.WaitTimeout)} to a larger value, set a time limit for calls, or send fewer requests."))
    {
        PoolName = poolName;
        Waited = waited;
        Waiting = waiting;
        MaximumSize = maximumSize;
    }

    /// <summary>The pool.</summary>
    public string PoolName { get; }

    /// <summary>How long the caller waited.</summary>
    public TimeSpan Waited { get; }

    /// <summary>How many other callers waited at that time.</summary>
    public int Waiting { get; }

    /// <summary>The largest number of sandboxes of the pool.</summary>
    public int MaximumSize { get; }
}
