namespace Hyperlight.Tests.Host.Pools;

/// <summary>What a guest keeps from one lease to the next, by mode.</summary>
[TestFixture]
internal sealed class IsolationTests : StubPoolTest
{
    [Test]
    public void A_new_sandbox_each_time_serves_one_lease()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { Isolation = SandboxIsolation.NewSandboxEachTime });
        for (int i = 1; i <= 3; i++)
        {
            using SandboxLease lease = Rent(pool);
            Assert.That(lease.Id, Is.EqualTo(i));
            Assert.That(lease.IsNew, Is.True);
        }

        Assert.That(pool.Statistics.Restores, Is.Zero);
        Assert.That(Source.MostAlive, Is.EqualTo(1));
    }

    [Test]
    public void Without_isolation_a_guest_keeps_its_state_until_it_crashes()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { Isolation = SandboxIsolation.None });
        Rent(pool, lease => lease.Call<long>("Mark", 4L));

        Rent(pool, lease =>
        {
            Assert.That(lease.IsNew, Is.False);
            Assert.That(lease.Call<long>("Read"), Is.EqualTo(4));
            Assert.That(() => lease.Call<long>("Crash"), Throws.TypeOf<GuestErrorException>());
        });

        Rent(pool, lease => Assert.That(lease.IsNew, Is.True));
    }

    [Test]
    public void A_key_finds_its_own_state_and_never_that_of_another()
    {
        SandboxPool pool = Sessions(maximum: 2);
        Rent(pool, "a", 1, isNew: true);
        Rent(pool, "b", 2, isNew: true);

        Rent(pool, "a", 1, isNew: false);
        Rent(pool, "b", 2, isNew: false);
        Assert.That(pool.Statistics.Restores, Is.Zero);
    }

    [Test]
    public void The_key_that_was_not_used_for_the_longest_time_makes_room_for_another()
    {
        SandboxPool pool = Sessions(maximum: 2);
        Rent(pool, "a", 1, isNew: true);
        Rent(pool, "b", 2, isNew: true);
        Rent(pool, "a", 1, isNew: false);

        Rent(pool, "c", 3, isNew: true);

        Rent(pool, "a", 1, isNew: false);
        Rent(pool, "b", 4, isNew: true);
        Assert.That(Source.MostAlive, Is.EqualTo(2));
    }

    [Test]
    public void A_key_whose_sandbox_is_in_use_waits_for_it_and_others_do_not()
    {
        SandboxPool pool = Sessions(maximum: 2);
        SandboxLease first = Rent(pool, "a");
        first.Call<long>("Mark", 1L);
        Task<SandboxLease> second = pool.RentAsync("a").AsTask();

        Rent(pool, "b", 2, isNew: true);

        Assert.That(second.IsCompleted, Is.False);
        first.Dispose();
        using SandboxLease lease = Wait(second);
        Assert.That(lease.Call<long>("Read"), Is.EqualTo(1));
    }

    [Test]
    public void A_caller_that_waits_for_another_key_gets_the_sandbox_that_is_returned_made_clean()
    {
        SandboxPool pool = Sessions(maximum: 1);
        SandboxLease first = Rent(pool, "a");
        first.Call<long>("Mark", 1L);
        Task<SandboxLease> other = pool.RentAsync("b").AsTask();
        Assert.That(other.IsCompleted, Is.False);

        first.Dispose();

        using SandboxLease lease = Wait(other);
        Assert.That(lease.Call<long>("Read"), Is.Zero);
        Assert.That(lease.IsNew, Is.True);
    }

    [Test]
    public void The_state_of_a_key_is_lost_when_its_guest_crashes()
    {
        SandboxPool pool = Sessions(maximum: 1);
        using (SandboxLease lease = Rent(pool, "a"))
        {
            Assert.That(() => lease.Call<long>("Crash"), Throws.TypeOf<GuestErrorException>());
        }

        Rent(pool, "a", 5, isNew: true);
    }

    [Test]
    public void The_state_of_a_key_is_dropped_when_it_was_idle_for_too_long()
    {
        SandboxPool pool = NewPool(maximum: 2, o => o with
        {
            Isolation = SandboxIsolation.KeepStatePerKey,
            MinimumSize = 2,
            IdleTimeout = TimeSpan.FromMinutes(1),
        });
        Rent(pool, "a", 1, isNew: true);
        Time.Advance(TimeSpan.FromSeconds(30));
        Rent(pool, "b", 2, isNew: true);

        Time.Advance(TimeSpan.FromSeconds(30));
        Eventually(() => pool.Statistics.Restores == 1, "the state of one");

        Rent(pool, "b", 2, isNew: false);
        Rent(pool, "a", 3, isNew: true);
    }

    [Test]
    public void A_key_is_needed_if_state_is_kept_and_refused_otherwise()
    {
        Assert.That(() => Sessions(1).RentAsync(), Throws.InvalidOperationException);
        Assert.That(() => NewPool().RentAsync("a"), Throws.InvalidOperationException.With.Message.Contains(nameof(SandboxPoolOptions.Isolation)));
    }

    private SandboxPool Sessions(int maximum) => NewPool(maximum, o => o with { Isolation = SandboxIsolation.KeepStatePerKey });

    private static void Rent(SandboxPool pool, Action<SandboxLease> use)
    {
        using SandboxLease lease = Rent(pool);
        use(lease);
    }

    private static void Rent(SandboxPool pool, string key, long mark, bool isNew)
    {
        using SandboxLease lease = Rent(pool, key);
        Assert.That(lease.IsNew, Is.EqualTo(isNew));
        Assert.That(lease.Call<long>("Read"), Is.EqualTo(isNew ? 0 : mark));
        lease.Call<long>("Mark", mark);
    }
}
