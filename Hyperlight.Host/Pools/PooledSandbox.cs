using Hyperlight.Host.Sandboxes;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.Pools;

/// <summary>What a pool does with one of its sandboxes. Changed only with the pool's lock.</summary>
internal enum PooledSandboxState
{
    /// <summary>It is about to be placed.</summary>
    New,

    /// <summary>It can be rented.</summary>
    Idle,

    /// <summary>A lease has it.</summary>
    Rented,

    /// <summary>It is made clean.</summary>
    Restoring,

    /// <summary>It will be disposed, or was.</summary>
    Retired,
}

/// <summary>A sandbox of a pool. As a work item it does what its state asks for, without another allocation.</summary>
internal sealed class PooledSandbox(SandboxPool pool, ISandboxSource source, ISandbox sandbox, LeaseServices services) : IThreadPoolWorkItem
{
    public SandboxPool Pool => pool;

    /// <summary>What it was created from.</summary>
    public ISandboxSource Source => source;

    public ISandbox Sandbox => sandbox;

    public LeaseServices Services => services;

    public PooledSandboxState State { get; set; }

    /// <summary>The key whose state it has; <see langword="null"/> if it has none.</summary>
    public string? Key { get; set; }

    /// <summary>Whether it has the state of a lease before.</summary>
    public bool HasState { get; set; }

    /// <summary>The time at which it became idle, as a timestamp of the pool's time provider.</summary>
    public long IdleSince { get; set; }

    /// <summary>When the lease began, if its duration is measured.</summary>
    public long LeaseStart { get; set; }

    /// <summary>How long the last restore took.</summary>
    public TimeSpan LastRestore { get; set; }

    /// <summary>Tells the pool when the sandbox, which is disposed, is released.</summary>
    public void WhenReleased(IReleasable releasable)
    {
        int thread = Environment.CurrentManagedThreadId;
        bool isDisposing = true;
        releasable.WhenReleased(() =>
        {
            if (isDisposing && Environment.CurrentManagedThreadId == thread)
            {
                pool.Released(this);
            }
            else
            {
                // The thread that ends a call is a guest thread, or one of the application. It does nothing for the pool.
                ThreadPool.UnsafeQueueUserWorkItem(static sandbox => sandbox.Pool.Released(sandbox), this, preferLocal: false);
            }
        });
        isDisposing = false;
    }

    /// <summary>Ends the services of a lease. Their failure is logged.</summary>
    public ValueTask EndServicesAsync() => services.End() is { } scope ? DisposeAsync(scope) : default;

    /// <summary>
    /// Ends the services of a lease, and waits for that. They end on the thread pool: code of the application that continues on the
    /// synchronisation context of the caller would wait for the thread that waits here.
    /// </summary>
    public void EndServices()
    {
        if (services.End() is { } scope)
        {
            WaitForDisposal(scope);
        }
    }

    // A method of its own: what is captured is allocated for leases with services alone.
    private void WaitForDisposal(AsyncServiceScope scope) => Task.Run(() => DisposeAsync(scope).AsTask()).GetAwaiter().GetResult();

    private async ValueTask DisposeAsync(AsyncServiceScope scope)
    {
        try
        {
            await scope.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            pool.ReportServiceFailure(exception);
        }
    }

    void IThreadPoolWorkItem.Execute() => pool.Process(this);
}
