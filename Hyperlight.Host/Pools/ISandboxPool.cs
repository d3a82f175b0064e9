namespace Hyperlight;

/// <summary>
/// Sandboxes of one template that are ready for use. Thread-safe. Code that uses a pool can be tested with a mock of this
/// interface: a test creates a <see cref="SandboxLease"/> over a mocked <see cref="ISandbox"/>.
/// </summary>
public interface ISandboxPool : IAsyncDisposable, IDisposable
{
    /// <summary>The name of the pool, in errors and logs.</summary>
    string Name { get; }

    /// <summary>The state of the pool.</summary>
    SandboxPoolStatistics Statistics { get; }

    /// <summary>Why the last sandbox could not be created; <see langword="null"/> if it could, so that the pool works.</summary>
    Exception? LastFailure => null;

    /// <summary>
    /// Rents a sandbox. Return it by disposing the lease: <c>await using SandboxLease lease = await pool.RentAsync(token);</c>
    /// </summary>
    /// <param name="cancellationToken">Ends the wait for a sandbox.</param>
    /// <exception cref="PoolQueueFullException">All sandboxes are in use, and the queue is full.</exception>
    /// <exception cref="PoolTimeoutException">No sandbox became free within <see cref="SandboxPoolOptions.WaitTimeout"/>.</exception>
    /// <exception cref="PoolCreationException">A sandbox could not be created; the inner exception is the cause.</exception>
    /// <exception cref="PoolClosedException">The pool was closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The pool keeps state per key: <see cref="RentAsync(string, CancellationToken)"/> is needed.</exception>
    ValueTask<SandboxLease> RentAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Rents the sandbox that has the state of a key, or a clean one if there is none: see <see cref="SandboxLease.IsNew"/>. If
    /// the key's sandbox is in use, this waits for it.
    /// </summary>
    /// <param name="key">The key, such as the identity of a session. Compared as text, case-sensitive.</param>
    /// <param name="cancellationToken">Ends the wait for a sandbox.</param>
    /// <exception cref="InvalidOperationException">The pool's mode is not <see cref="SandboxIsolation.KeepStatePerKey"/>.</exception>
    /// <inheritdoc cref="RentAsync(CancellationToken)"/>
    ValueTask<SandboxLease> RentAsync(string key, CancellationToken cancellationToken = default);

    /// <summary>
    /// Loads the template again, after its guest or its snapshot was replaced. The pool serves sandboxes of the old one until
    /// the new one is loaded; afterwards none. A sandbox of the old one that is rented at that time is disposed when it is
    /// returned. If the template cannot be loaded, the pool continues with the old one.
    /// </summary>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="PoolCreationException">The template cannot be loaded; the inner exception is the cause.</exception>
    /// <exception cref="PoolClosedException">The pool was closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    Task ReloadAsync(CancellationToken cancellationToken = default);
}
