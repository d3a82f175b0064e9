using System.Diagnostics;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Pools;
using Hyperlight.Host.Sandboxes;

namespace Hyperlight;

/// <content>Returning sandboxes: making them clean, or disposing them.</content>
public sealed partial class SandboxPool
{
    /// <summary>A restore that is expected to take longer runs on the thread pool.</summary>
    internal static readonly TimeSpan LongestRestoreOnReturn = TimeSpan.FromMicroseconds(100);

    /// <summary>A lease has ended.</summary>
    /// <param name="sandbox">Its sandbox.</param>
    /// <param name="isReusable">Whether the sandbox is neither in use nor changed in a way that a restore does not undo.</param>
    internal void Return(PooledSandbox sandbox, bool isReusable)
    {
        // A host function that goes on has the services of its lease. They must not become those of the next one.
        isReusable &= sandbox.Sandbox.Status == SandboxStatus.Ready
            && sandbox.Sandbox is not MultiUseSandbox { HasAbandonedHostFunctions: true };
        Placement placement = default;
        bool isRestoring = false;
        long leaseStart = sandbox.LeaseStart;
        lock (_lock)
        {
            if (sandbox.State != PooledSandboxState.Rented)
            {
                // The pool was closed, and has disposed it.
                return;
            }

            if (!isReusable)
            {
                _counters.Discards++;
            }

            if (!isReusable || _options.Isolation == SandboxIsolation.NewSandboxEachTime || _isClosed || !IsCurrent(sandbox))
            {
                MarkRetired(sandbox);
                placement = new Placement(null, sandbox);
            }
            else if (_options.Isolation == SandboxIsolation.RestoreAfterUse)
            {
                MarkRestoring(sandbox);
                isRestoring = true;
            }
            else
            {
                sandbox.HasState = true;
                placement = Place(sandbox);
            }
        }

        if (!isRestoring)
        {
            Finish(sandbox, placement);
        }
        else if (sandbox.LastRestore > LongestRestoreOnReturn)
        {
            Queue(sandbox);
        }
        else
        {
            Restore(sandbox);
        }

        // Last, because a listener may throw.
        _telemetry.EndLease(leaseStart);
        if (!isReusable)
        {
            _telemetry.RecordNotReusable();
        }
    }

    /// <summary>A lease was collected that was never returned.</summary>
    internal void ReportLost(PooledSandbox sandbox, string? function, string? stack)
    {
        lock (_lock)
        {
            if (sandbox.State != PooledSandboxState.Rented)
            {
                return;
            }

            MarkRetired(sandbox);
            _counters.LostLeases++;
        }

        PoolLog.LeaseLost(
            _logger, Name, function is null ? "none" : GuestText.Escape(function), stack ?? $"unknown, set {nameof(SandboxPoolOptions.CaptureRentStack)} to know it");
        Process(sandbox);
        _telemetry.RecordLostLease();
    }

    /// <summary>The services of a lease failed to be disposed.</summary>
    internal void ReportServiceFailure(Exception exception) => PoolLog.ServicesFailed(_logger, exception, Name);

    /// <summary>Does what the state of a sandbox asks for.</summary>
    internal void Process(PooledSandbox sandbox)
    {
        if (sandbox.State == PooledSandboxState.Restoring)
        {
            Restore(sandbox);
        }
        else
        {
            DisposeRetired(sandbox);
        }
    }

    private void Restore(PooledSandbox sandbox)
    {
        bool isClean = TryRestore(sandbox);
        var placement = new Placement(null, sandbox);
        lock (_lock)
        {
            _restoring--;
            _counters.Restores++;
            if (isClean)
            {
                sandbox.HasState = false;
                placement = Place(sandbox);
            }
            else
            {
                _counters.Discards++;
                MarkRetired(sandbox);
            }
        }

        Finish(sandbox, placement);
        if (!isClean)
        {
            _telemetry.RecordRestoreFailure();
        }
    }

    private bool TryRestore(PooledSandbox sandbox)
    {
        try
        {
            long start = Stopwatch.GetTimestamp();
            sandbox.Source.Restore(sandbox.Sandbox);
            sandbox.LastRestore = Stopwatch.GetElapsedTime(start);
            return sandbox.Sandbox.Status == SandboxStatus.Ready;
        }
        catch (Exception exception)
        {
            PoolLog.RestoreFailed(_logger, exception, Name, sandbox.Sandbox.Id);
            return false;
        }
    }

    /// <summary>Disposes a sandbox. If a call is in progress, that ends the call, and the sandbox is released afterwards.</summary>
    private void DisposeRetired(PooledSandbox sandbox)
    {
        try
        {
            sandbox.Sandbox.Dispose();
        }
        catch (Exception exception)
        {
            PoolLog.ReleaseFailed(_logger, exception, Name, sandbox.Sandbox.Id);
        }

        if (sandbox.Sandbox is IReleasable releasable)
        {
            sandbox.WhenReleased(releasable);
        }
        else
        {
            Released(sandbox);
        }
    }

    /// <summary>
    /// A sandbox is released: its place becomes free, so that there are never more than the pool's maximum, and the services of its
    /// host functions end.
    /// </summary>
    internal void Released(PooledSandbox sandbox)
    {
        _ = sandbox.EndServicesAsync().AsTask();
        int creations;
        lock (_lock)
        {
            _sandboxes.Remove(sandbox);
            _retiring--;
            creations = ReserveCreations(fillMinimum: !_isClosed);
        }

        StartCreations(creations);
        FinishIfEmpty();
    }

    private void MarkRestoring(PooledSandbox sandbox)
    {
        _idle.Forget(sandbox);
        sandbox.State = PooledSandboxState.Restoring;
        _restoring++;
    }

    private void MarkRetired(PooledSandbox sandbox)
    {
        _idle.Forget(sandbox);
        sandbox.State = PooledSandboxState.Retired;
        _retiring++;
    }
}
