namespace Hyperlight;

/// <summary>A pool was closed, because the application stops or the pool was disposed. It does not serve new requests.</summary>
public sealed class PoolClosedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="poolName">The pool.</param>
    public PoolClosedException(string poolName)
        : base($"The pool '{poolName}' is closed: the application stops, or the pool was disposed.") =>
        PoolName = poolName;

    /// <summary>The pool.</summary>
    public string PoolName { get; }
}
