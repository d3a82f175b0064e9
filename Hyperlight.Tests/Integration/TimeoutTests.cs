using System.Diagnostics;

namespace Hyperlight.Tests.Integration;

/// <summary>Time limits do not depend on the thread pool.</summary>
internal sealed class TimeoutTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void Guests_that_occupy_every_thread_of_the_pool_end_at_their_limit()
    {
        // More calls than the pool has threads at first: those that wait for a thread begin when others have ended, and each
        // is measured from its own beginning. The pool has no thread left for timers meanwhile.
        ThreadPool.GetMinThreads(out int threads, out _);
        int count = (threads * 2) + 2;
        TimeSpan limit = TimeSpan.FromMilliseconds(200);
        MultiUseSandbox[] sandboxes = [.. Enumerable.Range(0, count).Select(_ => Build(_ => { }))];

        Task<(TimeSpan Time, BudgetExceededException Error)>[] calls =
        [
            .. sandboxes.Select(sandbox => Task.Run(() =>
            {
                var time = Stopwatch.StartNew();
                BudgetExceededException error = Assert.Throws<BudgetExceededException>(
                    () => sandbox.Call("SpinForever", [], limit))!;
                return (time.Elapsed, error);
            })),
        ];
        Task.WaitAll(calls);

        TestContext.Out.WriteLine(string.Join(", ", calls.Select(c => $"{c.Result.Time.TotalMilliseconds:0}")) + " ms");
        Assert.That(calls.Select(c => c.Result.Error.Reason), Is.All.EqualTo(CancellationReason.Timeout));
        Assert.That(calls.Select(c => c.Result.Time), Is.All.GreaterThan(limit * 0.9));
    }

    [Test]
    public void A_limit_ends_a_guest_that_spins_and_a_restore_makes_it_usable()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        for (int i = 0; i < 3; i++)
        {
            BudgetExceededException error = Assert.Throws<BudgetExceededException>(
                () => Sandbox.Call("SpinForever", [], TimeSpan.FromMilliseconds(20)))!;
            Assert.That(error.Limit, Is.EqualTo(TimeSpan.FromMilliseconds(20).Ticks));

            Sandbox.Restore(snapshot);
            AssertUsable();
        }
    }

    [Test]
    public void A_host_function_that_waits_ends_with_its_call()
    {
        bool wasEntered = false;
        Sandbox.WithHostFunction("HostEchoInt", (int x, CancellationToken token) =>
        {
            wasEntered = true;
            token.WaitHandle.WaitOne();
            token.ThrowIfCancellationRequested();
            return x;
        });
        using Snapshot snapshot = Sandbox.TakeSnapshot();

        // On a slow machine a short limit ends the call before the guest has called the function.
        BudgetExceededException error;
        TimeSpan limit = TimeSpan.FromMilliseconds(20);
        do
        {
            Sandbox.Restore(snapshot);
            error = Assert.Throws<BudgetExceededException>(() => Sandbox.Call<int>("RoundTripInt", [1], limit))!;
            limit *= 2;
        }
        while (!wasEntered);

        Assert.That(error.Reason, Is.EqualTo(CancellationReason.Timeout));
        Assert.That(error.InnerException, Is.TypeOf<OperationCanceledException>());
    }
}
