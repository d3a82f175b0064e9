namespace Hyperlight.Tests.Host.Pools;

/// <summary>Creating sandboxes: never more than the maximum, outside the lock, and a failure costs no place.</summary>
[TestFixture]
internal sealed class CreationTests : StubPoolTest
{
    [Test]
    public void A_failure_reaches_the_caller_with_its_cause_and_the_next_one_succeeds()
    {
        SandboxPool pool = NewPool(maximum: 1);
        Source.FailsToCreate = static () => true;

        for (int i = 0; i < 3; i++)
        {
            PoolCreationException error = Assert.Throws<PoolCreationException>(() => Rent(pool))!;
            Assert.That(error.InnerException, Is.TypeOf<InvalidOperationException>());
            Assert.That(error.Message, Does.Contain("'test'").And.Contains("There is no memory."));
        }

        Source.FailsToCreate = static () => false;
        Rent(pool).Dispose();
        Assert.That(pool.Statistics.CreationFailures, Is.EqualTo(3));
        Assert.That(pool.Statistics.Size, Is.EqualTo(1));
    }

    [Test]
    public void A_sandbox_that_is_being_restored_is_enough_for_one_caller()
    {
        SandboxPool pool = NewPool(maximum: 2);
        SandboxLease lease = Rent(pool);
        using var mayRestore = new SemaphoreSlim(0);
        Task returning = ReturnUntil(mayRestore, pool, lease);

        Task<SandboxLease> waiting = Enqueue(pool);
        Assert.That((pool.Statistics.Creating, pool.Statistics.Size), Is.EqualTo((0, 1)));
        Task<SandboxLease> second = Enqueue(pool);
        Assert.That((pool.Statistics.Creating, pool.Statistics.Size), Is.EqualTo((1, 2)), "not for two");

        mayRestore.Release(10);
        Wait(returning.ContinueWith(static _ => true, TaskScheduler.Default));
        Wait(waiting).Dispose();
        Wait(second).Dispose();
    }

    [Test]
    public void A_sandbox_that_is_not_usable_after_its_restore_is_replaced()
    {
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = Rent(pool);
        long first = lease.Id;
        Source.StaysPoisoned = true;
        lease.Dispose();

        using SandboxLease next = Rent(pool);

        Assert.That(next.Id, Is.Not.EqualTo(first));
        Assert.That(next.Call<long>("Mark", 1L), Is.EqualTo(1));
        Assert.That(pool.Statistics.Discards, Is.EqualTo(1));
    }

    [Test]
    public void A_template_that_cannot_be_loaded_is_loaded_again_for_the_next_caller()
    {
        SandboxPool pool = NewPool();
        Source.LoadFailure = new GuestBinaryException("guest.elf", "The file does not exist.");

        Assert.That(() => Rent(pool), Throws.TypeOf<PoolCreationException>().With.InnerException.TypeOf<GuestBinaryException>());
        Source.LoadFailure = null;

        Rent(pool).Dispose();
        Assert.That(Source.Loads, Is.EqualTo(2));
    }

    [Test]
    public void Each_caller_that_waits_gets_a_failure_or_a_sandbox()
    {
        SandboxPool pool = NewPool(maximum: 2);
        using var mayCreate = new SemaphoreSlim(0);
        int attempts = 0;
        Source.Delay = mayCreate.Wait;
        Source.FailsToCreate = () => Interlocked.Increment(ref attempts) <= 3;
        Task<SandboxLease>[] waiting = [.. Enumerable.Range(0, 5).Select(_ => Enqueue(pool))];

        mayCreate.Release(1000);

        // A lease that is returned early would serve the caller that a later failure is meant for.
        int failures = 0;
        var leases = new List<SandboxLease>();
        foreach (Task<SandboxLease> task in waiting)
        {
            try
            {
                leases.Add(Wait(task));
            }
            catch (PoolCreationException)
            {
                failures++;
            }
        }

        leases.ForEach(lease => lease.Dispose());
        Assert.That(failures, Is.EqualTo(3));
        Assert.That(Source.MostAlive, Is.LessThanOrEqualTo(2));
    }

    [Test]
    public void A_creation_that_takes_long_does_not_delay_a_return()
    {
        SandboxPool pool = NewPool(maximum: 2);
        SandboxLease lease = Rent(pool);
        using var creating = new SemaphoreSlim(0);
        using var mayCreate = new SemaphoreSlim(0);
        Source.Delay = () =>
        {
            creating.Release();
            mayCreate.Wait();
        };
        Task<SandboxLease> waiting = Enqueue(pool);
        creating.Wait();
        Source.Delay = static () => { };

        lease.Dispose();

        using SandboxLease next = Wait(waiting);
        Assert.That(next.Id, Is.EqualTo(1), "the one that was returned first");
        mayCreate.Release();
        Eventually(() => pool.Statistics.Idle == 1, "the other one is kept");
    }

    [Test]
    public async Task Warming_up_creates_the_minimum()
    {
        SandboxPool pool = NewPool(maximum: 4, o => o with { MinimumSize = 3 });

        await pool.WarmUpAsync();
        await pool.WarmUpAsync();

        Assert.That(pool.Statistics.Idle, Is.EqualTo(3));
        Assert.That(Source.Loads, Is.EqualTo(1));
        Assert.That(Loggers.All.Select(r => r.Text), Has.Some.Contains("Pool test is ready with 3 sandboxes"));
    }

    [Test]
    public async Task Warming_up_says_what_has_failed()
    {
        SandboxPool pool = NewPool(maximum: 4, o => o with { MinimumSize = 2 });
        Source.FailsToCreate = static () => true;

        await Assert.ThrowsAsync<PoolCreationException>(() => pool.WarmUpAsync());

        Assert.That(pool.Statistics.Size, Is.Zero);
    }

    [Test]
    public async Task The_last_failure_is_kept_until_a_sandbox_is_created()
    {
        SandboxPool pool = NewPool(maximum: 4, o => o with { MinimumSize = 1, QueueLength = 7 });
        Assert.That(pool.LastFailure, Is.Null);
        Source.FailsToCreate = static () => true;
        await Assert.ThrowsAsync<PoolCreationException>(() => pool.WarmUpAsync());
        Assert.That(pool.LastFailure, Is.TypeOf<InvalidOperationException>());

        Source.FailsToCreate = static () => false;
        await pool.WarmUpAsync();

        Assert.That(pool.LastFailure, Is.Null);
        Assert.That((pool.Statistics.MaximumSize, pool.Statistics.QueueLength, pool.Statistics.IsClosed), Is.EqualTo((4, 7, false)));
        await pool.DisposeAsync();
        Assert.That(pool.Statistics.IsClosed, Is.True);
    }

    [Test]
    public async Task Warming_up_loads_the_template_also_if_no_sandbox_is_created()
    {
        SandboxPool pool = NewPool();
        Source.LoadFailure = new InvalidOperationException("There is no file.");
        PoolCreationException exception = await Assert.ThrowsAsync<PoolCreationException>(() => pool.WarmUpAsync());
        Assert.That(exception.Message, Does.Contain("There is no file."));

        Source.LoadFailure = null;
        await pool.WarmUpAsync();

        Assert.That((Source.Loads, pool.Statistics.Size), Is.EqualTo((2, 0)));
    }

    [Test]
    public void A_minimum_above_the_maximum_is_an_error() => Assert.That(
        () => NewPool(maximum: 1, o => o with { MinimumSize = 2 }),
        Throws.ArgumentException.With.Message.Contains("MinimumSize is 2").And.Message.Contains("Set it to at most 1"));

    [Test]
    public void A_sandbox_that_was_disposed_is_replaced_up_to_the_minimum()
    {
        SandboxPool pool = NewPool(maximum: 2, o => o with { MinimumSize = 1 });
        SandboxLease lease = Rent(pool);
        Assert.That(() => lease.Call<long>("Crash"), Throws.TypeOf<GuestErrorException>());

        lease.Dispose();

        Eventually(() => pool.Statistics.Idle == 1, "without a rent");
    }
}
