using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.Pools;

/// <summary>
/// The services that host functions of one pooled sandbox use. Their scope is created when a host function first asks for one
/// during a lease, and ends with the lease.
/// </summary>
internal sealed class LeaseServices
{
    private AsyncServiceScope? _scope;

    /// <summary>What creates the scopes; <see langword="null"/> if no host function needs services.</summary>
    public IServiceScopeFactory? Scopes { get; set; }

    /// <summary>A service of the lease.</summary>
    /// <exception cref="InvalidOperationException">There is none.</exception>
    public TService GetRequiredService<TService>()
        where TService : notnull
    {
        // One guest runs in a sandbox at a time, so that its host functions do not run concurrently.
        _scope ??= Scopes?.CreateAsyncScope() ?? throw new InvalidOperationException("The pool has no services.");
        return _scope.Value.ServiceProvider.GetRequiredService<TService>();
    }

    /// <summary>Whether a scope was created since the last <see cref="EndAsync"/>.</summary>
    public bool IsInUse => _scope is not null;

    /// <summary>Ends the scope.</summary>
    public ValueTask EndAsync()
    {
        AsyncServiceScope? scope = _scope;
        _scope = null;
        return scope?.DisposeAsync() ?? default;
    }
}
