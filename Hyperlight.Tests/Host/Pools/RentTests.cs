namespace Hyperlight.Tests.Host.Pools;

/// <summary>A lease has a clean sandbox, and what it leaves is gone before the next one.</summary>
[TestFixture]
internal sealed class RentTests : StubPoolTest
{
    [Test]
    public void A_sandbox_is_used_again_after_it_was_restored()
    {
        SandboxPool pool = NewPool();
        long first;
        using (SandboxLease lease = Rent(pool))
        {
            first = lease.Id;
            Assert.That(lease.IsNew, Is.True);
            Assert.That(lease.Call<long>("Mark", 7L), Is.EqualTo(7));
        }

        Assert.That(pool.Statistics.Idle, Is.EqualTo(1), "restored before it is rented");
        using SandboxLease second = Rent(pool);
        Assert.That(second.Id, Is.EqualTo(first));
        Assert.That(second.Call<long>("Read"), Is.Zero);
        Assert.That(second.IsNew, Is.True);
    }

    [Test]
    public void A_poisoned_sandbox_is_replaced()
    {
        SandboxPool pool = NewPool(maximum: 1);
        SandboxLease lease = Rent(pool);
        Assert.That(() => lease.Call<long>("Crash"), Throws.TypeOf<GuestErrorException>());
        Assert.That(lease.Status, Is.EqualTo(SandboxStatus.Poisoned));

        lease.Dispose();

        using SandboxLease next = Rent(pool);
        Assert.That(next.Id, Is.Not.EqualTo(1));
        Assert.That(Source.Sandboxes[0].IsDisposed, Is.True);
        Assert.That(pool.Statistics.Discards, Is.EqualTo(1));
        Assert.That(Source.MostAlive, Is.EqualTo(1));
    }

    [Test]
    public void A_sandbox_that_cannot_be_restored_is_replaced_and_logged()
    {
        SandboxPool pool = NewPool(maximum: 1);
        Source.FailsToRestore = static () => true;
        Rent(pool).Dispose();
        Source.FailsToRestore = static () => false;

        using SandboxLease next = Rent(pool);

        Assert.That(next.Id, Is.EqualTo(2));
        Assert.That(Source.Sandboxes[0].IsDisposed, Is.True);
        Assert.That(Loggers.All.Select(r => r.Exception?.Message), Does.Contain("The hypervisor refused."));
    }

    [Test]
    public void A_sandbox_whose_host_functions_were_changed_is_replaced()
    {
        SandboxPool pool = NewPool(maximum: 1);
        using (SandboxLease lease = Rent(pool))
        {
            lease.WithHostFunction("Secret", static () => 1);
        }

        using (SandboxLease lease = Rent(pool))
        {
            Assert.That(lease.Id, Is.EqualTo(2));
            Assert.That(lease.RemoveHostFunction("HostPrint"), Is.False);
        }

        using SandboxLease last = Rent(pool);
        Assert.That(last.Id, Is.EqualTo(3));
    }

    [Test]
    public void A_sandbox_that_is_returned_during_a_call_is_not_used_again()
    {
        SandboxPool pool = NewPool(maximum: 2);
        SandboxLease lease = Rent(pool);
        Task call = Task.Run(() => lease.Call<long>("Wait"));
        Source.Started.Wait();

        lease.Dispose();
        using SandboxLease next = Rent(pool);
        Source.Continue.Release();
        call.Wait();

        Assert.That(next.Id, Is.EqualTo(2));
        Eventually(() => Source.Sandboxes[0].IsDisposed, "disposed");
    }

    [Test]
    public async Task A_lease_that_was_returned_reaches_no_sandbox()
    {
        SandboxPool pool = NewPool();
        SandboxLease lease = Rent(pool);
        await lease.DisposeAsync();
        await lease.DisposeAsync();
        lease.Dispose();

        Assert.That(() => lease.Call<long>("Read"), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => lease.TakeSnapshot(), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => lease.RemoveHostFunction("f"), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(lease.Status, Is.EqualTo(SandboxStatus.Disposed));
        Assert.That(pool.Statistics.Idle, Is.EqualTo(1));
        Assert.That(pool.Statistics.Restores, Is.EqualTo(1));
    }

    [Test]
    public void The_sandbox_that_was_used_last_is_rented_first()
    {
        SandboxPool pool = NewPool();
        SandboxLease[] leases = [Rent(pool), Rent(pool)];
        long last = leases[1].Id;
        leases[0].Dispose();
        leases[1].Dispose();

        using SandboxLease lease = Rent(pool);

        Assert.That(lease.Id, Is.EqualTo(last));
    }

    [Test]
    public void A_short_restore_runs_on_the_thread_that_returns_and_a_long_one_does_not()
    {
        SandboxPool pool = NewPool(maximum: 1);
        Rent(pool).Dispose();
        Assert.That(Source.RestoringThread, Is.EqualTo(Environment.CurrentManagedThreadId));
        Eventually(() => pool.Statistics.Idle == 1, "restored");

        using var entered = new SemaphoreSlim(0);
        using var mayEnd = new SemaphoreSlim(0);
        Source.Delay = () => Thread.Sleep(SandboxPool.LongestRestoreOnReturn * 10);
        Rent(pool).Dispose();

        // On a busy machine the first restore may have been a long one.
        Eventually(() => pool.Statistics.Idle == 1, "restored");
        Source.Delay = () =>
        {
            entered.Release();
            mayEnd.Wait();
        };
        Rent(pool).Dispose();

        // It would not come so far otherwise.
        entered.Wait();
        Assert.That(pool.Statistics.Idle, Is.Zero);
        mayEnd.Release();
        Eventually(() => pool.Statistics.Idle == 1, "restored");
    }

    [Test]
    public void A_lease_for_tests_needs_no_pool()
    {
        int returned = 0;
        var lease = new SandboxLease(new StubSandbox(Source, 5), () => returned++);

        Assert.That(lease.Call<long>("Mark", 3L), Is.EqualTo(3));
        Assert.That(((ISandbox)lease).Call<long>("Read"), Is.EqualTo(3));
        lease.Dispose();
        lease.Dispose();

        Assert.That(returned, Is.EqualTo(1));
    }
}
