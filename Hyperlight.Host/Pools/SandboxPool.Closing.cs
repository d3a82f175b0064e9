using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Pools;

namespace Hyperlight;

/// <content>Closing the pool.</content>
public sealed partial class SandboxPool
{
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _isFinished;

    /// <summary>
    /// Closes the pool: callers that wait get a <see cref="PoolClosedException"/>, as do later ones. Leases have <see
    /// cref="SandboxPoolOptions.DrainTimeout"/> to be returned; afterwards their calls are ended and their sandboxes are
    /// disposed, which ends with the calls. When this has completed, no sandbox of the pool exists.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Close();
        try
        {
            await _empty.Task.WaitAsync(_options.DrainTimeout, _time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            EndLeases();
            await _empty.Task.ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Closes the pool without waiting: sandboxes that are rented are disposed when they are returned. Prefer <see cref="DisposeAsync"/>.
    /// </summary>
    public void Dispose() => Close();

    private void Close()
    {
        RentWaiter[] waiters;
        List<PooledSandbox> retired = [];
        lock (_lock)
        {
            _isClosed = true;
            waiters = [.. _waiters];
            Array.ForEach(waiters, waiter => Dequeue(waiter));
            RetireAllIdle(retired);
        }

        // Ends the initialisation of a guest and creations: nothing needs them any more.
        _closing.Cancel();
        foreach (RentWaiter waiter in waiters)
        {
            waiter.Fail(new PoolClosedException(Name));
        }

        retired.ForEach(DisposeRetired);

        FinishIfEmpty();
    }

    private void EndLeases()
    {
        PooledSandbox[] rented;
        lock (_lock)
        {
            rented = [.. _sandboxes.Where(static sandbox => sandbox.State == PooledSandboxState.Rented)];
            Array.ForEach(rented, MarkRetired);
        }

        if (rented.Length > 0)
        {
            PoolLog.LeasesEnded(_logger, Name, rented.Length, _options.DrainTimeout);
        }

        Array.ForEach(rented, DisposeRetired);
    }

    private void ThrowIfClosed()
    {
        if (_isClosed)
        {
            throw new PoolClosedException(Name);
        }
    }

    /// <summary>The last sandbox of a closed pool is gone: releases what they shared.</summary>
    private void FinishIfEmpty()
    {
        ISandboxSource? source;
        lock (_lock)
        {
            if (!_isClosed || Size > 0)
            {
                return;
            }

            source = _source;
        }

        if (Interlocked.Exchange(ref _isFinished, 1) == 0)
        {
            _telemetry.Metrics.Pools.Remove(this);
            _idleTimer.Dispose();
            try
            {
                source?.Dispose();
            }
#pragma warning disable CA1031 // What ends the last sandbox is often a work item of the thread pool, where an exception would end the process.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                PoolLog.SourceReleaseFailed(_logger, exception, Name);
            }

            _empty.SetResult();
        }
    }
}
