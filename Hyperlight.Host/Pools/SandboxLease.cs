using Hyperlight.Host.Pools;

namespace Hyperlight;

/// <summary>
/// A sandbox that was rented from a pool. It is used like a sandbox, and returned by disposing it; afterwards it cannot be
/// used. Any thread can use it, but only one at a time.
/// </summary>
/// <remarks>
/// A sandbox that is returned while a call is in progress is disposed, which ends the call, and so is one whose host functions
/// were changed during the lease: a restore does not undo that. A lease that is never disposed is found when the garbage collector
/// runs: the pool logs an error and replaces its sandbox.
/// </remarks>
public sealed partial class SandboxLease : ISandbox, IAsyncDisposable
{
    private const int Returned = int.MinValue;

    private readonly ISandbox _sandbox;
    private readonly PooledSandbox? _pooled;
    private readonly Action? _returned;
    private readonly string? _stack;
    private string? _lastFunction;
    private bool _isChanged;

    /// <summary>The number of operations in progress; the highest bit says that the lease has ended.</summary>
    private int _uses;

    /// <summary>
    /// Creates a lease of a sandbox that belongs to no pool, for tests of code that uses an <see cref="ISandboxPool"/>.
    /// </summary>
    /// <param name="sandbox">The sandbox, which may be a mock. It is not disposed.</param>
    /// <param name="returned">Is called once, when the lease is disposed.</param>
    public SandboxLease(ISandbox sandbox, Action? returned = null)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        _sandbox = sandbox;
        _returned = returned;
        IsNew = true;
        GC.SuppressFinalize(this);
    }

    internal SandboxLease(PooledSandbox pooled, string? stack)
    {
        _sandbox = pooled.Sandbox;
        _pooled = pooled;
        _stack = stack;
        IsNew = !pooled.HasState;
    }

    /// <summary>Finds leases that were never returned.</summary>
    ~SandboxLease()
    {
        // The finalizer's thread must not wait, and an exception of it ends the process.
        ThreadPool.UnsafeQueueUserWorkItem(
            static lost => lost.Pooled.Pool.ReportLost(lost.Pooled, lost.Function, lost.Stack),
            (Pooled: _pooled!, Function: _lastFunction, Stack: _stack),
            preferLocal: false);
    }

    /// <summary>
    /// Whether the guest has the clean state: always, except for a key whose state was kept (<see
    /// cref="SandboxIsolation.KeepStatePerKey"/>), or without isolation (<see cref="SandboxIsolation.None"/>).
    /// </summary>
    public bool IsNew { get; }

    /// <inheritdoc/>
    public long Id => _sandbox.Id;

    /// <inheritdoc/>
    public HypervisorSelection Hypervisor => _sandbox.Hypervisor;

    /// <summary>Whether the sandbox can be called; <see cref="SandboxStatus.Disposed"/> after the lease was returned.</summary>
    public SandboxStatus Status => Volatile.Read(ref _uses) < 0 ? SandboxStatus.Disposed : _sandbox.Status;

    /// <summary>
    /// Registers a host function for this lease. A restore does not remove it, so the sandbox is disposed when it is returned, and
    /// another one is created. Functions that all leases need belong to the template.
    /// </summary>
    /// <inheritdoc/>
    public void AddHostFunction(HostFunction hostFunction)
    {
        using Use use = Enter(_lastFunction);
        _isChanged = true;
        use.Sandbox.AddHostFunction(hostFunction);
    }

    /// <summary>Removes a host function for this lease; see <see cref="AddHostFunction"/>.</summary>
    /// <inheritdoc/>
    public bool RemoveHostFunction(string name)
    {
        using Use use = Enter(_lastFunction);
        _isChanged = true;
        return use.Sandbox.RemoveHostFunction(name);
    }

    /// <summary>
    /// Returns the sandbox to its pool. If host functions of the lease used services of a scope, this waits until the scope is
    /// disposed; prefer <see cref="DisposeAsync"/>.
    /// </summary>
    public void Dispose()
    {
        if (TryEnd(out bool isReusable))
        {
            GC.SuppressFinalize(this);
            _pooled?.EndServicesAsync().AsTask().GetAwaiter().GetResult();
            Return(isReusable);
        }
    }

    /// <summary>Returns the sandbox to its pool.</summary>
    public ValueTask DisposeAsync()
    {
        if (TryEnd(out bool isReusable))
        {
            GC.SuppressFinalize(this);
            ValueTask ending = _pooled?.EndServicesAsync() ?? default;
            if (!ending.IsCompletedSuccessfully)
            {
                return ReturnAsync(ending, isReusable);
            }

            Return(isReusable);
        }

        return default;
    }

    private async ValueTask ReturnAsync(ValueTask ending, bool isReusable)
    {
        await ending.ConfigureAwait(false);
        Return(isReusable);
    }

    private void Return(bool isReusable)
    {
        _pooled?.Pool.Return(_pooled, isReusable);
        _returned?.Invoke();
    }

    /// <summary>Ends the lease, once.</summary>
    private bool TryEnd(out bool isReusable)
    {
        int uses = Interlocked.Or(ref _uses, Returned);
        isReusable = uses == 0 && !_isChanged;
        return uses >= 0;
    }

    /// <summary>
    /// Begins an operation. Without counting them, a call that begins while the lease ends on another thread could reach the
    /// sandbox of the next lease.
    /// </summary>
    private Use Enter(string? functionName)
    {
        if (Interlocked.Increment(ref _uses) < 0)
        {
            Interlocked.Decrement(ref _uses);
            throw new ObjectDisposedException(nameof(SandboxLease), "The lease was returned to its pool.");
        }

        _lastFunction = functionName;
        return new Use(this);
    }

    /// <summary>An operation in progress, until it is disposed.</summary>
    private readonly struct Use(SandboxLease lease) : IDisposable
    {
        public ISandbox Sandbox => lease._sandbox;

        public void Dispose() => Interlocked.Decrement(ref lease._uses);
    }
}
