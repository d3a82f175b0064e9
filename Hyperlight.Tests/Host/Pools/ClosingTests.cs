namespace Hyperlight.Tests.Host.Pools;

/// <summary>A pool that is closed: nothing new, a bounded time for leases, and nothing is left.</summary>
[TestFixture]
internal sealed class ClosingTests : StubPoolTest
{
    [Test]
    public async Task Callers_get_a_typed_error_and_nothing_is_left()
    {
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = Rent(pool);
        Task<SandboxLease> waiting = Enqueue(pool);

        ValueTask closing = pool.DisposeAsync();

        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        await Assert.ThrowsAsync<PoolClosedException>(async () => await pool.RentAsync());
        await Assert.ThrowsAsync<PoolClosedException>(() => pool.WarmUpAsync());
        await Assert.ThrowsAsync<PoolClosedException>(() => pool.ReloadAsync());
        Assert.That(closing.IsCompleted, Is.False, "a lease is not returned");
        Assert.That(lease.Call<long>("Mark", 1L), Is.EqualTo(1), "a lease can be used until then");
        await lease.DisposeAsync();
        await closing;
        Assert.That(Source.Alive, Is.Zero);
        Assert.That(Source.IsDisposed, Is.True);
        Assert.That(pool.Statistics.Size, Is.Zero);
    }

    [Test]
    public async Task A_lease_that_is_not_returned_in_time_loses_its_sandbox()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { DrainTimeout = TimeSpan.FromSeconds(5) });
        SandboxLease lease = Rent(pool);
        Task closing = pool.DisposeAsync().AsTask();

        Time.Advance(TimeSpan.FromSeconds(5));
        await closing;

        Assert.That(Source.Alive, Is.Zero);
        Assert.That(() => lease.Call<long>("Read"), Throws.TypeOf<ObjectDisposedException>());
        lease.Dispose();
        Assert.That(Loggers.All.Select(r => r.Text), Has.Some.Contains("1 leases are not returned after 00:00:05"));
    }

    [Test]
    public void Disposing_does_not_wait_and_leases_dispose_their_sandboxes()
    {
        SandboxPool pool = NewPool(maximum: 2);
        SandboxLease lease = Rent(pool);
        Rent(pool).Dispose();

        pool.Dispose();
        pool.Dispose();

        Assert.That(Source.Alive, Is.EqualTo(1));
        lease.Dispose();
        Eventually(() => Source.Alive == 0 && Source.IsDisposed, "all disposed");
    }

    [Test]
    public async Task A_pool_that_was_never_used_closes()
    {
        await NewPool().DisposeAsync();

        Assert.That(Source.Loads, Is.Zero);
    }

    [Test]
    public async Task A_template_that_is_loaded_after_the_pool_was_closed_is_released()
    {
        SandboxPool pool = NewPool();
        using var loading = new SemaphoreSlim(0);
        using var mayEnd = new SemaphoreSlim(0);
        Source.LoadDelay = () =>
        {
            loading.Release();
            mayEnd.Wait();
        };
        Task warmUp = pool.WarmUpAsync();
        loading.Wait();

        await pool.DisposeAsync();
        mayEnd.Release();

        await Assert.ThrowsAsync<PoolClosedException>(() => warmUp);
        Assert.That(Source.IsDisposed, Is.True);
    }

    /// <summary>The last sandbox may be released on the thread pool, where an exception would end the process.</summary>
    [Test]
    public async Task What_cannot_be_released_is_logged()
    {
        SandboxPool pool = NewPool();
        Source.DisposeFailure = new InvalidOperationException("It is in use.");
        Rent(pool).Dispose();

        await pool.DisposeAsync();

        Assert.That(Source.IsDisposed, Is.True);
        Assert.That(Loggers.All.Select(static record => record.Exception), Does.Contain(Source.DisposeFailure));
    }

    [Test]
    public async Task Closing_ends_a_creation()
    {
        SandboxPool pool = NewPool();
        using var creating = new SemaphoreSlim(0);
        using var mayEnd = new SemaphoreSlim(0);
        Source.Delay = () =>
        {
            creating.Release();
            mayEnd.Wait();
        };
        Task<SandboxLease> waiting = Enqueue(pool);
        creating.Wait();

        Task closing = pool.DisposeAsync().AsTask();
        await Assert.ThrowsAsync<PoolClosedException>(() => waiting);
        mayEnd.Release(2);
        await closing;

        Assert.That(Source.Alive, Is.Zero);
    }
}
