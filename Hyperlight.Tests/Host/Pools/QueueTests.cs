using System.Diagnostics;
namespace Hyperlight.Tests.Host.Pools;

/// <summary>Callers that wait: in order, bounded, and without losing a sandbox.</summary>
[TestFixture]
internal sealed class QueueTests : StubPoolTest
{
    [Test]
    public void Callers_get_sandboxes_in_the_order_in_which_they_came()
    {
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = Rent(pool);
        Task<SandboxLease>[] waiting = [.. Enumerable.Range(0, 3).Select(_ => Enqueue(pool))];

        for (int i = 0; i < waiting.Length; i++)
        {
            Assert.That(waiting.Count(task => task.IsCompleted), Is.EqualTo(i));
            lease.Dispose();
            lease = Wait(waiting[i]);
        }

        lease.Dispose();
        Assert.That(pool.Statistics.Rents, Is.EqualTo(4));
    }

    [Test]
    public async Task More_callers_than_the_queue_has_room_for_are_refused_at_once()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { QueueLength = 1 });
        SandboxLease lease = Rent(pool);
        Task<SandboxLease> waiting = Enqueue(pool);

        PoolQueueFullException error = (await Assert.ThrowsAsync<PoolQueueFullException>(async () => await pool.RentAsync()))!;

        Assert.That(error.Message, Does.Contain("'test'").And.Contains("1 callers wait").And.Contains(nameof(SandboxPoolOptions.QueueLength)));
        Assert.That(pool.Statistics.Rejections, Is.EqualTo(1));
        lease.Dispose();
        Wait(waiting).Dispose();
    }

    [Test]
    public async Task Without_a_queue_a_caller_gets_what_is_free_or_can_be_created()
    {
        SandboxPool pool = NewPool(maximum: 2, o => o with { QueueLength = 0 });
        using SandboxLease first = Rent(pool);
        using SandboxLease second = Rent(pool);

        await Assert.ThrowsAsync<PoolQueueFullException>(async () => await pool.RentAsync());
    }

    [Test]
    public async Task A_caller_that_waits_too_long_gets_an_error_that_says_how_long()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { WaitTimeout = TimeSpan.FromSeconds(2) });
        SandboxLease lease = Rent(pool);
        Task<SandboxLease> early = Enqueue(pool);
        Time.Advance(TimeSpan.FromSeconds(1));
        Task<SandboxLease> late = Enqueue(pool);

        Time.Advance(TimeSpan.FromSeconds(1));

        PoolTimeoutException error = (await Assert.ThrowsAsync<PoolTimeoutException>(() => early))!;
        Assert.That(error.Waited, Is.EqualTo(TimeSpan.FromSeconds(2)));
        Assert.That(error.Waiting, Is.EqualTo(1));
        Assert.That(error.Message, Does.Contain("2000 ms").And.Contains("'test'").And.Contains(nameof(SandboxPoolOptions.MaximumSize)));
        Assert.That(late.IsCompleted, Is.False);
        lease.Dispose();
        Wait(late).Dispose();
        Assert.That(pool.Statistics.Timeouts, Is.EqualTo(1));
    }

    [Test]
    public void A_caller_that_has_given_up_does_not_take_a_sandbox()
    {
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = Rent(pool);
        using var source = new CancellationTokenSource();
        Task<SandboxLease> cancelled = Enqueue(pool, source.Token);
        Task<SandboxLease> next = Enqueue(pool);

        source.Cancel();

        Assert.That(() => Wait(cancelled), Throws.InstanceOf<OperationCanceledException>());
        lease.Dispose();
        Wait(next).Dispose();
        Eventually(() => pool.Statistics.Idle == 1, "idle, once it is restored");
    }

    [Test]
    public void A_caller_whose_token_is_cancelled_already_does_not_wait()
    {
        SandboxPool pool = NewPool();

        Assert.That(() => Wait(pool.RentAsync(new CancellationToken(true))), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Source.Loads, Is.Zero);
    }

    [Test]
    public void A_sandbox_that_is_created_for_a_caller_that_has_given_up_becomes_idle()
    {
        SandboxPool pool = NewPool(maximum: 1);
        using var mayCreate = new SemaphoreSlim(0);
        Source.Delay = mayCreate.Wait;
        using var source = new CancellationTokenSource();
        Task<SandboxLease> cancelled = Enqueue(pool, source.Token);
        source.Cancel();
        Assert.That(() => Wait(cancelled), Throws.InstanceOf<OperationCanceledException>());

        mayCreate.Release();

        Eventually(() => pool.Statistics.Idle == 1, "idle");
    }

    [TestCase(SandboxIsolation.RestoreAfterUse)]
    [TestCase(SandboxIsolation.KeepStatePerKey)]
    public void Many_callers_leave_the_queue_in_a_time_that_grows_with_their_number(SandboxIsolation isolation)
    {
        // A search through the queue for each caller takes two minutes, on a fast machine one.
        const int count = 160_000;
        SandboxPool pool = NewPool(maximum: 1, o => o with
        {
            QueueLength = count,
            WaitTimeout = Timeout.InfiniteTimeSpan,
            Isolation = isolation,
        });
        using var source = new CancellationTokenSource();
        bool hasKeys = isolation == SandboxIsolation.KeepStatePerKey;
        using SandboxLease lease = hasKeys ? Rent(pool, "first") : Rent(pool);
        Task<SandboxLease>[] callers =
        [
            .. Enumerable.Range(0, count).Select(i => hasKeys ? pool.RentAsync($"{i}", source.Token).AsTask() : pool.RentAsync(source.Token).AsTask()),
        ];
        Assert.That(pool.Statistics.Waiting, Is.EqualTo(count));

        var time = Stopwatch.StartNew();
        source.Cancel();

        Assert.That(time.Elapsed, Is.LessThan(TimeSpan.FromSeconds(30)));
        Assert.That(pool.Statistics.Waiting, Is.Zero);
        Assert.That(() => callers.All(caller => caller.IsCompleted), Is.True.After(60_000, 10));
    }
}
