using Hyperlight.Host.Pools;

namespace Hyperlight;

/// <content>Renting, and the queue of callers.</content>
public sealed partial class SandboxPool
{
    private long _lastWaiter;

    /// <inheritdoc/>
    public ValueTask<SandboxLease> RentAsync(CancellationToken cancellationToken = default) => _options.Isolation == SandboxIsolation.KeepStatePerKey
        ? throw new InvalidOperationException($"The pool '{Name}' keeps state per key: pass the key to {nameof(RentAsync)}.")
        : Rent(key: null, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<SandboxLease> RentAsync(string key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return _options.Isolation == SandboxIsolation.KeepStatePerKey
            ? Rent(key, cancellationToken)
            : throw new InvalidOperationException(
                $"The pool '{Name}' keeps no state: call {nameof(RentAsync)} without a key, or set {nameof(SandboxPoolOptions.Isolation)} to {SandboxIsolation.KeepStatePerKey}.");
    }

    /// <summary>Removes a caller from the queue.</summary>
    /// <param name="waiter">The caller.</param>
    /// <param name="others">How many others wait.</param>
    /// <returns>Whether it was there, so that nothing else completes it.</returns>
    internal bool TryRemove(RentWaiter waiter, out int others)
    {
        lock (_lock)
        {
            bool isRemoved = Dequeue(waiter);
            others = _waiters.Count;
            return isRemoved;
        }
    }

    /// <summary>The error of a caller that has waited for too long.</summary>
    internal PoolTimeoutException TimedOut(RentWaiter waiter, int others)
    {
        lock (_lock)
        {
            _counters.Timeouts++;
        }

        return new PoolTimeoutException(Name, _time.GetElapsedTime(waiter.Start), others, _options.MaximumSize);
    }

    private ValueTask<SandboxLease> RentUnobserved(string? key, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<SandboxLease>(cancellationToken);
        }

        string? stack = _options.CaptureRentStack ? Environment.StackTrace : null;
        PooledSandbox? sandbox;
        RentWaiter? waiter = null;
        PooledSandbox? evicted = null;
        int creations = 0;
        PoolQueueFullException? rejection = null;
        lock (_lock)
        {
            if (_isClosed)
            {
                return ValueTask.FromException<SandboxLease>(new PoolClosedException(Name));
            }

            sandbox = _idle.Take(key);
            if (sandbox is not null)
            {
                BeginRent(sandbox, key);
            }
            else
            {
                waiter = new RentWaiter(this, key, stack, _time.GetTimestamp());
                Enqueue(waiter);
                creations = ReserveCreations();
                evicted = Evict();
                if (_waiters.Count > _options.QueueLength + _creating + _restoring)
                {
                    Dequeue(waiter);
                    _counters.Rejections++;
                    rejection = new PoolQueueFullException(Name, _waiters.Count, _options.QueueLength, _options.MaximumSize);
                }
            }
        }

        if (sandbox is not null)
        {
            return new ValueTask<SandboxLease>(new SandboxLease(sandbox, stack));
        }

        StartCreations(creations);
        Queue(evicted);
        return rejection is null ? WaitAsync(waiter!, cancellationToken) : ValueTask.FromException<SandboxLease>(rejection);
    }

    /// <summary>Adds a caller to the queue. With the lock.</summary>
    private void Enqueue(RentWaiter waiter)
    {
        waiter.Number = ++_lastWaiter;
        waiter.Node = _waiters.AddLast(waiter);
        _idle.Enqueued(waiter);
    }

    /// <summary>Removes a caller from the queue. With the lock.</summary>
    /// <returns>Whether it was there.</returns>
    private bool Dequeue(RentWaiter waiter)
    {
        if (waiter.Node is not { } node)
        {
            return false;
        }

        _waiters.Remove(node);
        waiter.Node = null;
        _idle.Dequeued(waiter);
        return true;
    }

    private async ValueTask<SandboxLease> WaitAsync(RentWaiter waiter, CancellationToken cancellationToken)
    {
        using ITimer? timer = _options.WaitTimeout == Timeout.InfiniteTimeSpan ? null : _time.CreateTimer(
            static state => ((RentWaiter)state!).TimeOut(), waiter, _options.WaitTimeout, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((RentWaiter)state!).Cancel(token), waiter);
        return await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>A sandbox goes to a caller. With the lock.</summary>
    private void BeginRent(PooledSandbox sandbox, string? key)
    {
        _idle.Assign(sandbox, key);
        sandbox.State = PooledSandboxState.Rented;
        sandbox.Services.Begin();
        sandbox.LeaseStart = _telemetry.BeginLease();
        _counters.Rents++;
    }

    /// <summary>
    /// Gives a sandbox that is ready to the caller that has waited longest, or adds it to the idle ones. With the lock.
    /// </summary>
    private Placement Place(PooledSandbox sandbox)
    {
        if (_isClosed || !IsCurrent(sandbox))
        {
            MarkRetired(sandbox);
            return new Placement(null, sandbox);
        }

        if (_idle.FirstWaiterFor(sandbox.Key, _waiters) is { } waiter)
        {
            Dequeue(waiter);
            BeginRent(sandbox, waiter.Key);
            return new Placement(waiter, null);
        }

        sandbox.State = PooledSandboxState.Idle;
        sandbox.IdleSince = _time.GetTimestamp();
        _idle.Add(sandbox);
        PooledSandbox? evicted = Evict();
        ScheduleExpiry();
        return new Placement(null, evicted);
    }

    /// <summary>
    /// Drops the state of the key that was not used for the longest time, if its sandbox is needed for another key. With the lock.
    /// </summary>
    private PooledSandbox? Evict()
    {
        if (_idle.FirstToExpire(canShrink: false) is not { } oldest
            || Size < _options.MaximumSize || _idle.CountWanted(_waiters) <= _creating + _restoring)
        {
            return null;
        }

        _idle.Remove(oldest);
        MarkRestoring(oldest);
        return oldest;
    }

    /// <summary>Does what <see cref="Place"/> has found. Without the lock.</summary>
    private static void Finish(PooledSandbox sandbox, Placement placement)
    {
        Queue(placement.Unfinished);
        placement.Waiter?.Complete(new SandboxLease(sandbox, placement.Waiter.Stack));
    }

    private static void Queue(PooledSandbox? sandbox)
    {
        if (sandbox is not null)
        {
            ThreadPool.UnsafeQueueUserWorkItem(sandbox, preferLocal: false);
        }
    }

    /// <summary>What became of a sandbox that was ready.</summary>
    /// <param name="Waiter">The caller that gets it.</param>
    /// <param name="Unfinished">A sandbox that has to be restored or disposed.</param>
    private readonly record struct Placement(RentWaiter? Waiter, PooledSandbox? Unfinished);
}
