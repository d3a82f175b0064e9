namespace Hyperlight.Tests.Host.Pools;

/// <summary>Sandboxes that nothing uses are disposed.</summary>
[TestFixture]
internal sealed class ExpiryTests : StubPoolTest
{
    [Test]
    public void Sandboxes_above_the_minimum_are_disposed_when_they_were_idle_for_too_long()
    {
        SandboxPool pool = NewPool(maximum: 4, o => o with { MinimumSize = 1, IdleTimeout = TimeSpan.FromMinutes(1) });
        SandboxLease[] leases = [.. Enumerable.Range(0, 4).Select(_ => Rent(pool))];
        Array.ForEach(leases[..2], lease => lease.Dispose());
        Time.Advance(TimeSpan.FromSeconds(40));
        Array.ForEach(leases[2..], lease => lease.Dispose());

        Time.Advance(TimeSpan.FromSeconds(20));
        Eventually(() => pool.Statistics.Size == 2 && Source.Sandboxes[0].IsDisposed && Source.Sandboxes[1].IsDisposed, "the first two");

        Time.Advance(TimeSpan.FromSeconds(40));
        Eventually(() => pool.Statistics.Size == 1, "one of the others");

        Time.Advance(TimeSpan.FromHours(1));
        Assert.That(pool.Statistics.Idle, Is.EqualTo(1));
    }

    [Test]
    public void Sandboxes_that_are_used_are_kept()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { IdleTimeout = TimeSpan.FromMinutes(1) });
        for (int i = 0; i < 10; i++)
        {
            Rent(pool).Dispose();
            Time.Advance(TimeSpan.FromSeconds(50));
        }

        Assert.That(pool.Statistics.Creations, Is.EqualTo(1));
    }

    [Test]
    public void Without_a_limit_all_are_kept()
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { IdleTimeout = Timeout.InfiniteTimeSpan });
        Rent(pool).Dispose();

        Time.Advance(TimeSpan.FromDays(365));

        Assert.That(pool.Statistics.Idle, Is.EqualTo(1));
    }
}
