using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.Pools;

/// <summary>
/// The services that host functions of one pooled sandbox use. Their scope is created when a host function first asks for one
/// during a lease, and ends with the lease. A function that goes on afterwards gets none. Thread-safe.
/// </summary>
internal sealed class LeaseServices
{
    private readonly Lock _lock = new();
    private AsyncServiceScope? _scope;
    private bool _hasEnded;

    /// <summary>What creates the scopes; <see langword="null"/> if no host function needs services.</summary>
    public IServiceScopeFactory? Scopes { get; set; }

    /// <summary>What the source keeps with the sandbox; <see langword="null"/> if it keeps nothing.</summary>
    public object? Attachment { get; set; }

    /// <summary>A lease begins.</summary>
    public void Begin()
    {
        lock (_lock)
        {
            _hasEnded = false;
        }
    }

    /// <summary>A service of the lease.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
    public TService GetRequiredService<TService>()
        where TService : notnull
    {
        IServiceProvider provider;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_hasEnded, typeof(SandboxLease));
            _scope ??= Scopes?.CreateAsyncScope() ?? throw new InvalidOperationException("The pool has no services.");
            provider = _scope.Value.ServiceProvider;
        }

        return provider.GetRequiredService<TService>();
    }

    /// <summary>The lease has ended.</summary>
    /// <returns>Its scope, to be disposed, if it has one.</returns>
    public AsyncServiceScope? End()
    {
        lock (_lock)
        {
            _hasEnded = true;
            AsyncServiceScope? scope = _scope;
            _scope = null;
            return scope;
        }
    }
}
