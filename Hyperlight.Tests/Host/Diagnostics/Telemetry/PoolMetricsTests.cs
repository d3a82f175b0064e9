using System.Diagnostics;
using System.Runtime.CompilerServices;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Tests.Host.Pools;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>What each instrument has recorded after a scripted life of a pool.</summary>
[TestFixture]
internal sealed class PoolMetricsTests : StubPoolTest
{
    private RecordedMetrics _metrics = null!;

    [SetUp]
    public void Listen()
    {
        _metrics = new RecordedMetrics();
        Metrics = HyperlightMetrics.Of(_metrics);
    }

    [TearDown]
    public void StopListening() => _metrics.Dispose();

    [Test]
    public void The_state_of_a_pool_is_observed()
    {
        SandboxPool pool = NewPool(maximum: 2, o => o with { QueueLength = 1 });
        SandboxLease first = Rent(pool);
        SandboxLease second = Rent(pool);
        Task<SandboxLease> third = Enqueue(pool);

        Assert.That(_metrics.Of("hyperlight.pool.sandbox.count"), Is.EqualTo(new[] { "name=test state=rented: 2" }));
        Assert.That(_metrics.Of("hyperlight.pool.sandbox.max"), Is.EqualTo(new[] { "name=test: 2" }));
        Assert.That(_metrics.Of("hyperlight.pool.waiting"), Is.EqualTo(new[] { "name=test: 1" }));

        first.Dispose();
        second.Dispose();
        Wait(third).Dispose();
        Eventually(() => pool.Statistics.Idle == 2, "both are restored");
        Assert.That(_metrics.Of("hyperlight.pool.sandbox.count"), Is.EqualTo(new[] { "name=test state=idle: 2" }));
        Assert.That(_metrics.Of("hyperlight.pool.waiting"), Is.Empty);
        Assert.That(_metrics.Of("hyperlight.pool.rent.duration"), Is.EqualTo(new[] { "name=test outcome=ok: 3" }));
        Assert.That(_metrics.Of("hyperlight.pool.lease.duration"), Is.EqualTo(new[] { "name=test: 3" }));
    }

    [Test]
    public void A_sandbox_that_is_being_restored_is_observed_as_such()
    {
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = Rent(pool);
        using var mayRestore = new SemaphoreSlim(0);
        Task returning = ReturnUntil(mayRestore, pool, lease);

        Assert.That(_metrics.Of("hyperlight.pool.sandbox.count"), Is.EqualTo(new[] { "name=test state=restoring: 1" }));

        mayRestore.Release();
        Wait(returning.ContinueWith(static _ => true, TaskScheduler.Default));
    }

    [Test]
    public async Task Pools_of_one_name_are_added_up_and_a_closed_pool_is_not_observed()
    {
        SandboxPool first = NewPool();
        SandboxPool second = NewPool();
        Rent(first).Dispose();
        Rent(second).Dispose();

        Assert.That(_metrics.Of("hyperlight.pool.sandbox.count"), Is.EqualTo(new[] { "name=test state=idle: 2" }));
        await first.DisposeAsync();
        Assert.That(_metrics.Of("hyperlight.pool.sandbox.count"), Is.EqualTo(new[] { "name=test state=idle: 1" }));
        await second.DisposeAsync();
        Assert.That(_metrics.Of("hyperlight.pool.sandbox.max"), Is.Empty);
    }

    [Test]
    public void A_lease_that_is_never_returned_is_counted()
    {
        SandboxPool pool = NewPool(maximum: 1);
        Lose(pool);

        Eventually(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return _metrics.Of("hyperlight.pool.discards").Length > 0;
            },
            "found");

        Assert.That(_metrics.Of("hyperlight.pool.discards"), Is.EqualTo(new[] { "name=test reason=lease_lost: 1" }));
    }

    // In a method of its own: a local variable may keep an object alive until its method ends.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Lose(SandboxPool pool) => Rent(pool).Call<long>("Mark", 9L);

    [Test]
    public void Every_end_of_a_rent_is_counted()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { QueueLength = 1, WaitTimeout = TimeSpan.FromSeconds(5) });
        SandboxLease lease = Rent(pool);
        Task<SandboxLease> timedOut = Enqueue(pool);
        Assert.That(() => Rent(pool), Throws.TypeOf<PoolQueueFullException>());
        Time.Advance(TimeSpan.FromSeconds(5));
        Assert.That(() => Wait(timedOut), Throws.TypeOf<PoolTimeoutException>());
        using (var source = new CancellationTokenSource())
        {
            Task<SandboxLease> canceled = Enqueue(pool, source.Token);
            source.Cancel();
            Assert.That(() => Wait(canceled), Throws.InstanceOf<OperationCanceledException>());
        }

        lease.Dispose();
        pool.Dispose();
        Assert.That(() => Rent(pool), Throws.TypeOf<PoolClosedException>());

        Assert.That(_metrics.Of("hyperlight.pool.rent.duration"), Is.EqualTo(new[]
        {
            "name=test outcome=canceled: 1",
            "name=test outcome=closed: 1",
            "name=test outcome=ok: 1",
            "name=test outcome=rejected: 1",
            "name=test outcome=timed_out: 1",
        }));
    }

    [Test]
    public void A_sandbox_that_is_not_used_again_is_counted_with_the_reason()
    {
        SandboxPool pool = NewPool(maximum: 1);
        using (SandboxLease lease = Rent(pool))
        {
            Assert.That(() => lease.Call<long>("Crash"), Throws.TypeOf<GuestErrorException>());
        }

        Source.FailsToRestore = static () => true;
        Rent(pool).Dispose();
        Eventually(() => _metrics.Of("hyperlight.pool.discards").Length == 2, "both are counted");

        Assert.That(_metrics.Of("hyperlight.pool.discards"), Is.EqualTo(new[] { "name=test reason=not_reusable: 1", "name=test reason=restore_failed: 1" }));
    }

    [Test]
    public void A_sandbox_that_cannot_be_created_is_counted()
    {
        SandboxPool pool = NewPool(maximum: 1);
        Source.FailsToCreate = static () => true;
        Assert.That(() => Rent(pool), Throws.TypeOf<PoolCreationException>());

        Eventually(() => _metrics.Of("hyperlight.pool.creation_failures").Length > 0, "it is counted");
        Assert.That(_metrics.Of("hyperlight.pool.creation_failures"), Is.EqualTo(new[] { "name=test: 1" }));
        Assert.That(_metrics.Of("hyperlight.pool.rent.duration"), Is.EqualTo(new[] { "name=test outcome=error: 1" }));
    }

    [Test]
    public async Task A_rent_is_an_activity_that_is_current_in_the_rent_alone()
    {
        using var activities = new RecordedActivities();
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = await pool.RentAsync();
        Task<SandboxLease> waiting = pool.RentAsync().AsTask();
        Assert.That(Activity.Current, Is.SameAs(activities.Root));
        await lease.DisposeAsync();
        await using (await waiting)
        {
            Assert.That(Activity.Current, Is.SameAs(activities.Root));
        }

        Activity[] rents = [.. activities.Stopped];
        Assert.That(rents.Select(a => a.OperationName), Is.EqualTo(new[] { "hyperlight.rent", "hyperlight.rent" }));
        Assert.That(rents.Select(a => a.Parent), Is.All.SameAs(activities.Root));
        Assert.That(rents.Select(a => a.GetTagItem("hyperlight.pool.name")), Is.All.EqualTo("test"));
    }
}
