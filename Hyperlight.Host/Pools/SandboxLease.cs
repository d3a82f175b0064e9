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
    private readonly ISandbox _sandbox;
    private readonly PooledSandbox? _pooled;
    private readonly Action? _returned;
    private readonly string? _stack;
    private readonly LeaseUses _uses = new();
    private string? _lastFunction;
    private bool _isChanged;

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

    /// <summary>What the source of the sandbox keeps with it; <see langword="null"/> if it keeps nothing.</summary>
    internal object? Attachment => _pooled?.Services.Attachment;

    /// <inheritdoc/>
    public long Id => _sandbox.Id;

    /// <inheritdoc/>
    public HypervisorSelection Hypervisor => _sandbox.Hypervisor;

    /// <summary>Whether the sandbox can be called; <see cref="SandboxStatus.Disposed"/> after the lease was returned.</summary>
    public SandboxStatus Status => _uses.HasEnded ? SandboxStatus.Disposed : _sandbox.Status;

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
    /// disposed; prefer <see cref="DisposeAsync"/>. If a call is in progress, it is ended, and the scope is disposed afterwards.
    /// </summary>
    public void Dispose()
    {
        if (_uses.TryEndLease(out bool isInUse))
        {
            GC.SuppressFinalize(this);
            if (!isInUse)
            {
                _pooled?.EndServices();
            }

            Return(isInUse);
        }
    }

    /// <summary>Returns the sandbox to its pool. If a call is in progress, it is ended.</summary>
    public ValueTask DisposeAsync()
    {
        if (_uses.TryEndLease(out bool isInUse))
        {
            GC.SuppressFinalize(this);
            ValueTask ending = isInUse ? default : _pooled?.EndServicesAsync() ?? default;
            if (!ending.IsCompletedSuccessfully)
            {
                return ReturnAsync(ending);
            }

            Return(isInUse);
        }

        return default;
    }

    private async ValueTask ReturnAsync(ValueTask ending)
    {
        await ending.ConfigureAwait(false);
        Return(isInUse: false);
    }

    private void Return(bool isInUse)
    {
        _pooled?.Pool.Return(_pooled, isReusable: !isInUse && !_isChanged);
        _returned?.Invoke();
    }

    /// <summary>Begins an operation.</summary>
    private Use Enter(string? functionName)
    {
        if (!_uses.TryBegin())
        {
            return default;
        }

        _lastFunction = functionName;
        return new Use(_uses, _sandbox);
    }

    /// <summary>An operation in progress, until it is disposed; the default value if the lease has ended.</summary>
    private readonly struct Use(LeaseUses uses, ISandbox sandbox) : IDisposable
    {
        /// <exception cref="ObjectDisposedException">The lease has ended.</exception>
        public ISandbox Sandbox => sandbox ?? throw new ObjectDisposedException(nameof(SandboxLease), "The lease was returned to its pool.");

        public void Dispose() => uses?.End();
    }
}
