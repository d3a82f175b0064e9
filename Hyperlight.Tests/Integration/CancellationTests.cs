using System.Diagnostics;

namespace Hyperlight.Tests.Integration;

/// <summary>A guest that spins is stopped from another thread, and no cancellation is lost or misdirected.</summary>
internal sealed class CancellationTests(TestTarget target) : GuestTest(target)
{
    [Test]
    public void A_spinning_guest_is_cancelled_from_another_thread()
    {
        using var requests = new CancelThread();
        while (Sandbox.Status == SandboxStatus.Ready)
        {
            // A request that meets the call before the guest is entered ends it too, and poisons nothing.
            AssertCancelled(requests, Sandbox, 1000);
        }

        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        Assert.That(() => Sandbox.Call<int>("Add", 1, 2), Throws.TypeOf<SandboxPoisonedException>());
    }

    [Test]
    public void A_token_cancels_a_guest_in_the_middle()
    {
        using var source = new CancellationTokenSource();
        Task cancel = WhenGuestIsInTheMiddle(source.Cancel);

        Assert.That(
            () => Sandbox.Call<long>("CallHostTimes", [int.MaxValue], source.Token),
            Throws.TypeOf<ExecutionCanceledException>()
                .With.Property("Reason").EqualTo(CancellationReason.CancellationToken)
                .And.Property("CancellationToken").EqualTo(source.Token));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Poisoned));
        cancel.Wait();
    }

    [Test]
    public void Cancelling_between_calls_does_nothing()
    {
        for (int i = 0; i < 20; i++)
        {
            Assert.That(Sandbox.InterruptHandle.Cancel(), Is.False);
            AssertUsable();
        }
    }

    [Test]
    public void Cancelling_during_a_host_function_keeps_the_guest_out()
    {
        bool finished = false;
        Sandbox.WithHostFunction("HostEchoInt", (int x) =>
        {
            Sandbox.InterruptHandle.Cancel();
            finished = true;
            return x;
        });

        AssertPoisons<ExecutionCanceledException>(s => s.Call<int>("RoundTripInt", 1));
        Assert.That(finished, Is.True);
    }

    [Test]
    public void Disposing_a_running_sandbox_ends_it()
    {
        Task dispose = WhenGuestIsInTheMiddle(Sandbox.Dispose);

        Assert.That(
            () => Sandbox.Call<long>("CallHostTimes", int.MaxValue),
            Throws.TypeOf<ExecutionCanceledException>().With.Property("Reason").EqualTo(CancellationReason.Disposal));
        Assert.That(Sandbox.Status, Is.EqualTo(SandboxStatus.Disposed));
        dispose.Wait();
    }

    [Test]
    public void An_interrupt_of_one_sandbox_leaves_another_on_the_same_thread_alone()
    {
        MultiUseSandbox other = Build(_ => { });
        other.InterruptHandle.Cancel();

        AssertUsable();
        Assert.That(other.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public void A_thousand_cancels_at_random_moments_lose_none_and_hit_no_later_call()
    {
        // Short guest runs are cancelled around their beginning, middle and end. A call either completes with the right
        // answer or is cancelled, and a cancelled sandbox is replaced. Calls that nobody cancels always complete.
        const int rounds = 1000;
        var random = new Random(5);
        using var requests = new CancelThread();
        int completed = 0, cancelled = 0;
        MultiUseSandbox sandbox = Build(_ => { });
        for (int i = 0; i < rounds; i++)
        {
            requests.CancelAfter(sandbox.InterruptHandle, random.Next(0, 1500));
            try
            {
                Assert.That(sandbox.Call<long>("SpinTimes", 200L), Is.EqualTo(200));
                completed++;
            }
            catch (ExecutionCanceledException)
            {
                cancelled++;
                sandbox.Dispose();
                sandbox = Build(_ => { });
            }

            requests.Wait();
            Assert.That(sandbox.Call<int>("Add", i, 1), Is.EqualTo(i + 1), "a call that nobody cancelled");
        }

        TestContext.Out.WriteLine($"{cancelled} cancelled, {completed} completed");
        Assert.That(completed + cancelled, Is.EqualTo(rounds));
    }

    [Test]
    public void Cancels_of_a_guest_that_never_ends_are_never_lost()
    {
        var random = new Random(6);
        using var requests = new CancelThread();
        for (int i = 0; i < 50; i++)
        {
            MultiUseSandbox sandbox = Build(_ => { });
            var time = Stopwatch.StartNew();
            AssertCancelled(requests, sandbox, random.Next(0, 2000));
            Assert.That(time.Elapsed, Is.LessThan(TimeSpan.FromSeconds(60)));
            sandbox.Dispose();
        }
    }

    private static void AssertCancelled(CancelThread requests, MultiUseSandbox sandbox, int microseconds)
    {
        requests.CancelUntilWaited(sandbox.InterruptHandle, microseconds);
        Assert.That(() => sandbox.Call("SpinForever"), Throws.TypeOf<ExecutionCanceledException>());
        requests.Wait();
    }

    /// <summary>Acts on another thread once the guest has called the host for the first time.</summary>
    private Task WhenGuestIsInTheMiddle(Action act)
    {
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Sandbox.WithHostFunction("HostEchoInt", (int x) =>
        {
            entered.TrySetResult();
            return x;
        });
        return entered.Task.ContinueWith(_ => act(), TaskScheduler.Default);
    }

    /// <summary>A thread of its own that cancels after some microseconds: a timer would be too coarse.</summary>
    private sealed class CancelThread : IDisposable
    {
        private readonly SemaphoreSlim _start = new(0);
        private readonly SemaphoreSlim _done = new(0);
        private readonly Thread _thread;
        private Action? _work;
        private volatile bool _isWaited;

        public CancelThread()
        {
            _thread = new Thread(Loop) { IsBackground = true };
            _thread.Start();
        }

        public void CancelAfter(InterruptHandle handle, int microseconds) => Start(() =>
        {
            Delay(microseconds);
            handle.Cancel();
        });

        /// <summary>Repeats the request, since one that finds no call in progress does nothing.</summary>
        public void CancelUntilWaited(InterruptHandle handle, int microseconds) => Start(() =>
        {
            Delay(microseconds);
            while (!handle.Cancel() && !_isWaited)
            {
                Thread.Yield();
            }
        });

        public void Wait()
        {
            _isWaited = true;
            _done.Wait();
        }

        public void Dispose()
        {
            _work = null;
            _start.Release();
            _thread.Join();
            _start.Dispose();
            _done.Dispose();
        }

        private static void Delay(int microseconds)
        {
            long end = Stopwatch.GetTimestamp() + (microseconds * Stopwatch.Frequency / 1_000_000);
            while (Stopwatch.GetTimestamp() < end)
            {
                Thread.SpinWait(20);
            }
        }

        private void Start(Action work)
        {
            _work = work;
            _isWaited = false;
            _start.Release();
        }

        private void Loop()
        {
            while (true)
            {
                _start.Wait();
                if (_work is not { } work)
                {
                    return;
                }

                work();
                _done.Release();
            }
        }
    }
}
