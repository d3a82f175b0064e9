using Hyperlight.Host.Errors;

namespace Hyperlight;

/// <summary>
/// A pool could not create a sandbox, or could not load its template. The inner exception is the cause. The pool tries again
/// with the next request.
/// </summary>
public sealed class PoolCreationException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="poolName">The pool.</param>
    /// <param name="cause">The cause.</param>
    public PoolCreationException(string poolName, Exception cause)
        : base($"The pool '{poolName}' cannot create a sandbox: {(cause is null ? null : ExceptionText.MessageOf(cause))}", cause) =>
        PoolName = poolName;

    /// <summary>The pool.</summary>
    public string PoolName { get; }
}
