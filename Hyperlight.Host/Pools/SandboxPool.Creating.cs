using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Pools;

namespace Hyperlight;

/// <content>Creating sandboxes, and loading the template.</content>
public sealed partial class SandboxPool
{
    private readonly CancellationTokenSource _closing = new();
    private readonly SemaphoreSlim _reloading = new(1);

    /// <summary>Why the last creation has failed, if it has.</summary>
    private Exception? _lastFailure;

    /// <summary>The load that is in progress or was the last one; one that failed is repeated.</summary>
    private Task<ISandboxSource>? _load;

    /// <summary>The source of the sandboxes; those of other sources are disposed instead of being rented again.</summary>
    private ISandboxSource? _source;

    /// <summary>
    /// Loads the template, so that what is wrong with it is known, and creates sandboxes until there are <see
    /// cref="SandboxPoolOptions.MinimumSize"/>.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait; what was begun continues.</param>
    /// <exception cref="PoolCreationException">A sandbox could not be created; the inner exception is the cause.</exception>
    /// <exception cref="PoolClosedException">The pool was closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WarmUpAsync(CancellationToken cancellationToken = default)
    {
        int creations;
        lock (_lock)
        {
            ThrowIfClosed();
            creations = ReserveCreations(fillMinimum: true);
        }

        Task<Exception?>[] tasks = [.. Enumerable.Range(0, creations).Select(_ => Task.Run(CreateAsync, CancellationToken.None))];
        Exception?[] failures = await Task.WhenAll(tasks).WaitAsync(cancellationToken).ConfigureAwait(false);
        if (failures.FirstOrDefault(static failure => failure is not null) is { } failure)
        {
            throw new PoolCreationException(Name, failure);
        }

        if (creations == 0)
        {
            try
            {
                _ = await LoadAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw _closing.IsCancellationRequested ? new PoolClosedException(Name) : new PoolCreationException(Name, exception);
            }
        }

        PoolLog.Ready(_logger, Name, creations, _options.MaximumSize);
    }

    /// <inheritdoc/>
    public async Task ReloadAsync(CancellationToken cancellationToken = default)
    {
        await _reloading.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_lock)
            {
                ThrowIfClosed();
            }

            ISandboxSource source = await LoadOnOwnThreadAsync(cancellationToken).ConfigureAwait(false);
            Replace(source);
            PoolLog.Reloaded(_logger, Name);
        }
        catch (Exception exception) when (exception is not PoolClosedException && !cancellationToken.IsCancellationRequested)
        {
            throw _closing.IsCancellationRequested ? new PoolClosedException(Name) : new PoolCreationException(Name, exception);
        }
        finally
        {
            _reloading.Release();
        }
    }

    private bool IsCurrent(PooledSandbox sandbox) => ReferenceEquals(sandbox.Source, _source);

    /// <summary>Counts the sandboxes that have to be created as being created. With the lock.</summary>
    /// <returns>How many to create, outside the lock.</returns>
    private int ReserveCreations(bool fillMinimum = false)
    {
        int wanted = _idle.CountWanted(_waiters) - _creating - _restoring;
        if (fillMinimum)
        {
            wanted = Math.Max(wanted, _options.MinimumSize - (Size - _retiring));
        }

        int count = Math.Clamp(wanted, 0, _options.MaximumSize - Size);
        _creating += count;
        return count;
    }

    private void StartCreations(int count)
    {
        for (int i = 0; i < count; i++)
        {
            // Without the context of the caller: the sandbox may be for another one.
            ThreadPool.UnsafeQueueUserWorkItem(static pool => _ = pool.CreateAsync(), this, preferLocal: false);
        }
    }

    /// <summary>Creates a sandbox that was reserved.</summary>
    /// <returns>What has failed, or <see langword="null"/>.</returns>
    private async Task<Exception?> CreateAsync()
    {
        PooledSandbox sandbox;
        try
        {
            sandbox = await CreateSandboxAsync().ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            FailCreation(exception);
            return exception;
        }

        Placement placement;
        lock (_lock)
        {
            _creating--;
            _counters.Creations++;
            _lastFailure = null;
            _sandboxes.Add(sandbox);
            placement = Place(sandbox);
        }

        Finish(sandbox, placement);
        return null;
    }

    private async Task<PooledSandbox> CreateSandboxAsync()
    {
        while (true)
        {
            ISandboxSource source = await LoadAsync().ConfigureAwait(false);
            try
            {
                var services = new LeaseServices();
                return new PooledSandbox(this, source, source.Create(services, _closing.Token), services);
            }
            catch (Exception) when (!ReferenceEquals(source, Volatile.Read(ref _source)))
            {
                // It was replaced, and released, meanwhile.
            }
        }
    }

    /// <summary>
    /// A failure reaches the caller that has waited longest, and for the others another attempt is made. Without a caller, it
    /// is logged; the next rent tries again.
    /// </summary>
    private void FailCreation(Exception exception)
    {
        RentWaiter? waiter;
        int creations;
        lock (_lock)
        {
            _creating--;
            _counters.CreationFailures++;
            _lastFailure = exception;
            waiter = _idle.FirstWaiterFor(key: null, _waiters);
            if (waiter is not null)
            {
                Dequeue(waiter);
            }

            creations = ReserveCreations();
        }

        if (!_closing.IsCancellationRequested)
        {
            PoolLog.CreationFailed(_logger, exception, Name);
        }

        waiter?.Fail(new PoolCreationException(Name, exception));
        StartCreations(creations);
        FinishIfEmpty();
        _telemetry.RecordCreationFailure();
    }

    /// <summary>The source, which is loaded by the first one who needs it; the others wait for the same load.</summary>
    private Task<ISandboxSource> LoadAsync()
    {
        lock (_lock)
        {
            if (_load is null or { IsFaulted: true } or { IsCanceled: true })
            {
                _load = LoadFirstAsync();
            }

            return _load;
        }
    }

    private async Task<ISandboxSource> LoadFirstAsync()
    {
        ISandboxSource source = await LoadOnOwnThreadAsync(_closing.Token).ConfigureAwait(false);
        lock (_lock)
        {
            if (_source is null && !_isClosed)
            {
                return _source = source;
            }
        }

        // The pool was closed meanwhile, or was told to load again, and that was faster.
        source.Dispose();
        return _source ?? throw new PoolClosedException(Name);
    }

    /// <summary>The initialisation of a guest may take long, or for ever.</summary>
    private Task<ISandboxSource> LoadOnOwnThreadAsync(CancellationToken cancellationToken) => Task.Factory.StartNew<ISandboxSource>(
        () =>
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            return new SharedSource(_template.Load(either.Token));
        },
        cancellationToken,
        TaskCreationOptions.LongRunning,
        TaskScheduler.Default);

    /// <summary>Takes over another source. Idle sandboxes of the old one are disposed.</summary>
    private void Replace(ISandboxSource source)
    {
        ISandboxSource? old;
        List<PooledSandbox> retired = [];
        int creations;
        lock (_lock)
        {
            if (_isClosed)
            {
                source.Dispose();
                throw new PoolClosedException(Name);
            }

            old = _source;
            _source = source;
            _load = Task.FromResult(source);
            RetireAllIdle(retired);
            creations = ReserveCreations(fillMinimum: true);
        }

        retired.ForEach(Queue);

        StartCreations(creations);
        old?.Dispose();
    }
}
