using Hyperlight.Host.Execution.Threads;

namespace Hyperlight.Tests.Host.Execution;

/// <summary>The threads of asynchronous calls: how many there are, in which order they take turns, and when they end.</summary>
[TestFixture]
internal sealed class GuestThreadsTests
{
    [TestCase(1)]
    [TestCase(2)]
    public void There_are_never_more_threads_than_allowed_and_turns_come_in_order(int maximum)
    {
        var threads = new GuestThreads(maximum);
        using var mayGoOn = new ManualResetEventSlim();
        using var arrived = new CountdownEvent(maximum);
        var order = new List<int>();
        using var over = new CountdownEvent(20);
        for (int i = 0; i < maximum; i++)
        {
            new GuestThreadTurn(threads, 1).UnsafeOnCompleted(() =>
            {
                arrived.Signal();
                mayGoOn.Wait();
            });
        }

        Assert.That(arrived.Wait(TestTime.Patience));
        for (int i = 0; i < 20; i++)
        {
            int number = i;
            new GuestThreadTurn(threads, 1).UnsafeOnCompleted(() =>
            {
                lock (order)
                {
                    order.Add(number);
                }

                over.Signal();
            });
        }

        Assert.That(threads.QueueLength, Is.EqualTo(20));
        Assert.That(threads.Count, Is.EqualTo(maximum));
        mayGoOn.Set();
        Assert.That(over.Wait(TestTime.Patience));
        Assert.That(threads.Count, Is.EqualTo(maximum));

        // With two threads, one can be delayed between taking a turn and noting it.
        Assert.That(order, maximum == 1 ? Is.Ordered : Is.Unique);
        Assert.That(order, Has.Count.EqualTo(20));
    }

    [Test]
    public void As_many_threads_as_needed_are_started_at_once()
    {
        var threads = new GuestThreads(8);
        using var together = new Barrier(8);
        using var over = new CountdownEvent(8);
        for (int i = 0; i < 8; i++)
        {
            new GuestThreadTurn(threads, 1).UnsafeOnCompleted(() =>
            {
                // Passed only if all eight run at the same time.
                if (together.SignalAndWait(TestTime.Patience))
                {
                    over.Signal();
                }
            });
        }

        Assert.That(over.Wait(TestTime.Patience));
        Assert.That(threads.Count, Is.EqualTo(8));
    }

    [Test]
    public void Threads_without_work_end_and_new_ones_are_started()
    {
        var threads = new GuestThreads(2) { IdleTime = TimeSpan.FromMilliseconds(10) };
        for (int i = 0; i < 3; i++)
        {
            using var ran = new ManualResetEventSlim();
            new GuestThreadTurn(threads, 1).UnsafeOnCompleted(ran.Set);
            Assert.That(ran.Wait(TestTime.Patience));
            Assert.That(SpinWait.SpinUntil(() => threads.Count == 0, TestTime.Patience), "the thread has ended");
        }
    }

    [Test]
    public void What_a_turn_leaves_on_the_thread_is_not_for_the_next_one()
    {
        var threads = new GuestThreads(1);
        var local = new AsyncLocal<string?>();
        using var ran = new ManualResetEventSlim();
        string? seen = "nothing";
        SynchronizationContext? context = new();
        new GuestThreadTurn(threads, 1).UnsafeOnCompleted(() =>
        {
            local.Value = "of another caller";
            SynchronizationContext.SetSynchronizationContext(new SynchronizationContext());
        });
        new GuestThreadTurn(threads, 1).UnsafeOnCompleted(() =>
        {
            seen = local.Value;
            context = SynchronizationContext.Current;
            ran.Set();
        });

        Assert.That(ran.Wait(TestTime.Patience));
        Assert.That(seen, Is.Null);
        Assert.That(context, Is.Null);
    }

    [Test]
    public void A_turn_that_ends_before_it_is_queued_is_not_queued()
    {
        var threads = new GuestThreads(1);
        var turn = new GuestThreadTurn(threads, 1);
        using var ran = new ManualResetEventSlim();
        turn.End();
        turn.End();
        turn.UnsafeOnCompleted(ran.Set);

        Assert.That(ran.Wait(TestTime.Patience));
        Assert.That(threads.Count, Is.Zero);
    }

    [Test]
    public void A_turn_that_ends_runs_once()
    {
        var threads = new GuestThreads(2);
        for (int i = 0; i < 1000; i++)
        {
            int runs = 0;
            using var ran = new ManualResetEventSlim();
            var turn = new GuestThreadTurn(threads, 1);
            turn.UnsafeOnCompleted(() =>
            {
                Interlocked.Increment(ref runs);
                ran.Set();
            });
            turn.End();
            Assert.That(ran.Wait(TestTime.Patience));
            Assert.That(Volatile.Read(ref runs), Is.EqualTo(1));
        }
    }

    [TestCase(0)]
    [TestCase(-1)]
    public void A_number_of_threads_that_is_not_positive_is_refused(int count) =>
        Assert.That(() => new GuestThreads(count), Throws.TypeOf<ArgumentOutOfRangeException>());

    [Test]
    public void The_default_is_one_thread_for_each_processor() =>
        Assert.That(GuestThreads.Default.MaximumCount, Is.EqualTo(Environment.ProcessorCount));
}
