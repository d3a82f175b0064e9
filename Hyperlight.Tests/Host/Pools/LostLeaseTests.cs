using System.Runtime.CompilerServices;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>A lease that is never returned.</summary>
[TestFixture]
internal sealed class LostLeaseTests : StubPoolTest
{
    [TestCase(false, "Mark")]
    [TestCase(true, nameof(Lose))]
    public void Is_reported_and_its_place_becomes_free(bool captureStack, string expected)
    {
        SandboxPool pool = NewPool(maximum: 1, o => o with { CaptureRentStack = captureStack });
        Lose(pool);

        Eventually(
            () =>
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return pool.Statistics.LostLeases == 1;
            },
            "found");

        using SandboxLease next = Rent(pool);
        Assert.That(next.Call<long>("Read"), Is.Zero);
        Assert.That(Source.MostAlive, Is.EqualTo(1));
        Assert.That(
            Loggers.All.Single(r => r.Text.StartsWith("A lease", StringComparison.Ordinal)).Text,
            Does.Contain("pool test").And.Contains(expected).And.Contains(captureStack ? nameof(LostLeaseTests) : nameof(SandboxPoolOptions.CaptureRentStack)));
    }

    [Test]
    public void A_lease_that_is_returned_is_not_reported()
    {
        SandboxPool pool = NewPool(maximum: 1);
        Return(pool);

        GC.Collect();
        GC.WaitForPendingFinalizers();

        Assert.That(pool.Statistics.LostLeases, Is.Zero);
        Assert.That(pool.Statistics.Idle, Is.EqualTo(1));
    }

    // In methods of their own: a local variable may keep an object alive until its method ends.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Lose(SandboxPool pool) => Rent(pool).Call<long>("Mark", 9L);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Return(SandboxPool pool) => Rent(pool).Dispose();
}
