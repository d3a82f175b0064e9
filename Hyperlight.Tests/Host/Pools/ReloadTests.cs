namespace Hyperlight.Tests.Host.Pools;

/// <summary>A template that is loaded again: the old sandboxes serve no further lease.</summary>
[TestFixture]
internal sealed class ReloadTests : StubPoolTest
{
    [Test]
    public async Task Sandboxes_of_the_old_template_are_not_rented_again()
    {
        var successor = new StubSource();
        Source.Successor = successor;
        SandboxPool pool = NewPool(maximum: 3);
        SandboxLease rented = Rent(pool);
        Rent(pool).Dispose();

        await pool.ReloadAsync();

        using (SandboxLease lease = Rent(pool))
        {
            lease.Call<long>("Mark", 1L);
            Assert.That(successor.Alive, Is.EqualTo(1));
        }

        Assert.That(rented.Call<long>("Mark", 2L), Is.EqualTo(2), "a lease can be used until it ends");
        await rented.DisposeAsync();
        Eventually(() => Source.Alive == 0 && Source.IsDisposed, "the old ones are disposed");
        Assert.That((pool.Statistics.Restores, pool.Statistics.Discards), Is.EqualTo((2, 0)), "an old one is not restored for another lease");
        Assert.That(successor.IsDisposed, Is.False);
        await pool.DisposeAsync();
        Assert.That(successor.IsDisposed, Is.True);
        Assert.That(successor.Violations, Is.Empty);
    }

    [Test]
    public async Task A_template_that_cannot_be_loaded_leaves_the_old_one_in_use()
    {
        SandboxPool pool = NewPool();
        Rent(pool).Dispose();
        Source.LoadFailure = new GuestBinaryException("guest.elf", "It is no guest.");

        PoolCreationException error = (await Assert.ThrowsAsync<PoolCreationException>(() => pool.ReloadAsync()))!;

        Assert.That(error.InnerException, Is.SameAs(Source.LoadFailure));
        using SandboxLease lease = Rent(pool);
        Assert.That(lease.Id, Is.EqualTo(1));
        Assert.That(async () => await pool.ReloadAsync(new CancellationToken(true)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Callers_that_wait_get_sandboxes_of_the_new_template()
    {
        var successor = new StubSource();
        Source.Successor = successor;
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease rented = Rent(pool);
        Task<SandboxLease> waiting = Enqueue(pool);

        await pool.ReloadAsync();
        await rented.DisposeAsync();

        using SandboxLease lease = Wait(waiting);
        Assert.That(successor.Alive, Is.EqualTo(1));
        Assert.That(Source.Alive, Is.Zero);
    }
}
