namespace Hyperlight.Host.Pools;

/// <summary>
/// A source that is released when its last use has ended: a pool replaces it while sandboxes are created from it or restored. Thread-safe.
/// </summary>
internal sealed class SharedSource(ISandboxSource source) : ISandboxSource
{
    private readonly Lock _lock = new();
    private int _uses;
    private bool _isDisposed;

    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    /// <inheritdoc/>
    public ISandbox Create(LeaseServices services, CancellationToken cancellationToken)
    {
        Begin();
        try
        {
            return source.Create(services, cancellationToken);
        }
        finally
        {
            End();
        }
    }

    /// <exception cref="ObjectDisposedException">The source was disposed.</exception>
    /// <inheritdoc/>
    public void Restore(ISandbox sandbox)
    {
        Begin();
        try
        {
            source.Restore(sandbox);
        }
        finally
        {
            End();
        }
    }

    /// <summary>Lets no further use begin.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            if (_uses > 0)
            {
                return;
            }
        }

        source.Dispose();
    }

    private void Begin()
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _uses++;
        }
    }

    private void End()
    {
        lock (_lock)
        {
            _uses--;
            if (!_isDisposed || _uses > 0)
            {
                return;
            }
        }

        source.Dispose();
    }
}
