using System.Diagnostics;

namespace Hyperlight.Tests.Integration;

/// <summary>Pools of real sandboxes.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class PoolTests(TestTarget target)
{
    private readonly List<SandboxPool> _pools = [];
    private object? _allocated;

    [TearDown]
    public void DisposePools()
    {
        _pools.ForEach(pool => pool.Dispose());
        _pools.Clear();
    }

    [Test]
    public async Task Each_lease_finds_the_state_after_the_initialisation()
    {
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 1 });
        for (int i = 0; i < 5; i++)
        {
            await using SandboxLease lease = await pool.RentAsync();
            Assert.That(lease.Call<int>("IncrementCounter"), Is.EqualTo(1));
            Assert.That(lease.Call<int>("IncrementCounter"), Is.EqualTo(2));
        }

        Assert.That(pool.Statistics.Creations, Is.EqualTo(1));
        Assert.That(() => pool.Statistics.Restores, Is.EqualTo(5).After(60_000, 1), "the last one may run on the thread pool");
    }

    [Test]
    public async Task A_guest_that_crashes_is_replaced()
    {
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 1 });
        await using (SandboxLease lease = await pool.RentAsync())
        {
            lease.Call<int>("IncrementCounter");
            Assert.That(() => lease.Call("NullWrite"), Throws.TypeOf<GuestAbortedException>());
        }

        await using SandboxLease next = await pool.RentAsync();
        Assert.That(next.Call<int>("IncrementCounter"), Is.EqualTo(1));
        Assert.That(pool.Statistics.Creations, Is.EqualTo(2));
    }

    [Test]
    public async Task A_sandbox_whose_host_function_goes_on_is_not_rented_again()
    {
        var result = new TaskCompletionSource<int>();
        using var entered = new SemaphoreSlim(0);
        SandboxPool pool = NewPool(
            new SandboxPoolOptions { MaximumSize = 1 },
            builder => builder.WithHostFunction("HostEchoInt", (int x) =>
            {
                entered.Release();
                return result.Task;
            }));
        long first;
        await using (SandboxLease lease = await pool.RentAsync())
        {
            first = lease.Id;
            using Snapshot snapshot = lease.TakeSnapshot();
            using var source = new CancellationTokenSource();
            Task<int> call = lease.CallAsync<int>("RoundTripInt", [1], source.Token);
            await entered.WaitAsync();
            source.Cancel();
            await Assert.ThatAsync(() => call, Throws.TypeOf<ExecutionCanceledException>());

            // The lease is usable again, but its function still runs.
            lease.Restore(snapshot);
            Assert.That(lease.Call<int>("IncrementCounter"), Is.EqualTo(1));
        }

        await using SandboxLease next = await pool.RentAsync();
        Assert.That(next.Id, Is.Not.EqualTo(first));
        result.SetResult(1);
    }

    [Test]
    public async Task A_guest_that_spins_is_ended_when_the_pool_is_closed()
    {
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 1, DrainTimeout = TimeSpan.FromMilliseconds(50) });
        SandboxLease lease = await pool.RentAsync();
        Task call = Task.Factory.StartNew(() => lease.Call("SpinForever"), TaskCreationOptions.LongRunning);

        await pool.DisposeAsync();

        await Assert.ThatAsync(() => call, Throws.InstanceOf<ExecutionCanceledException>().Or.TypeOf<ObjectDisposedException>());
        await lease.DisposeAsync();
        Assert.That(pool.Statistics.Size, Is.Zero);
    }

    [Test]
    public async Task Files_are_mapped_in_each_lease()
    {
        const ulong address = 0x1_0000_0000;
        using var files = new TestFiles();
        string path = files.New("file", 8192);
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 1 }, builder => builder.WithFileMapping(path, address));
        for (int i = 0; i < 3; i++)
        {
            await using SandboxLease lease = await pool.RentAsync();
            lease.Call("MapPhysical", address, 8192UL);
            Assert.That(lease.Call<ulong>("Peek", address), Is.EqualTo(TestFiles.Word(0)));
        }
    }

    [Test]
    public async Task A_pool_can_start_from_a_snapshot()
    {
        using MultiUseSandbox sandbox = target.Builder().Build();
        sandbox.Call<int>("IncrementCounter");
        using Snapshot snapshot = sandbox.TakeSnapshot();
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 1 }, builder => builder.WithSnapshot(snapshot));
        for (int i = 0; i < 2; i++)
        {
            await using SandboxLease lease = await pool.RentAsync();
            Assert.That(lease.Call<int>("IncrementCounter"), Is.EqualTo(2));
        }
    }

    [Test]
    public async Task Callers_on_several_threads_share_a_pool()
    {
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 2, WaitTimeout = Timeout.InfiniteTimeSpan });

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
            {
                await using SandboxLease lease = await pool.RentAsync();
                Assert.That(lease.Call<int>("IncrementCounter"), Is.EqualTo(1));
            }
        })));

        Assert.That(pool.Statistics.Creations, Is.LessThanOrEqualTo(2));
        Assert.That(pool.Statistics.Rents, Is.EqualTo(200));
    }

    [Test]
    public async Task State_is_kept_per_key()
    {
        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 2, Isolation = SandboxIsolation.KeepStatePerKey });
        for (int i = 1; i <= 3; i++)
        {
            foreach (string key in (string[])["a", "b"])
            {
                await using SandboxLease lease = await pool.RentAsync(key);
                Assert.That(lease.Call<int>("IncrementCounter"), Is.EqualTo(i));
            }
        }

        await using SandboxLease other = await pool.RentAsync("c");
        Assert.That(other.Call<int>("IncrementCounter"), Is.EqualTo(1));
    }

    [Test]
    public async Task A_place_is_free_when_the_call_of_a_returned_lease_has_ended()
    {
        using var entered = new SemaphoreSlim(0);
        using var mayEnd = new SemaphoreSlim(0);
        SandboxPool pool = NewPool(
            new SandboxPoolOptions { MaximumSize = 1, MinimumSize = 0, DrainTimeout = TimeSpan.FromMilliseconds(1) },
            builder => builder.WithHostFunction("HostEchoInt", (int x, CancellationToken token) =>
            {
                entered.Release();
                token.WaitHandle.WaitOne();
                mayEnd.Wait(CancellationToken.None);
                return x;
            }));
        for (int i = 0; i < 3; i++)
        {
            SandboxLease lease = await pool.RentAsync();
            Task<int> call = Task.Run(() => lease.Call<int>("RoundTripInt", 1));
            await entered.WaitAsync();
            await lease.DisposeAsync();
            Task<SandboxLease> next = pool.RentAsync().AsTask();
            await Task.Delay(20);
            Assert.That(next.IsCompleted, Is.False, "the machine of the first lease still exists");
            Assert.That(pool.Statistics.Size, Is.EqualTo(1));

            mayEnd.Release();
            await Assert.ThatAsync(() => call, Throws.InstanceOf<ExecutionCanceledException>());
            await (await next.WaitAsync(TestTime.Patience)).DisposeAsync();
        }

        SandboxLease last = await pool.RentAsync();
        Task<int> lastCall = Task.Run(() => last.Call<int>("RoundTripInt", 1));
        await entered.WaitAsync();
        Task closing = pool.DisposeAsync().AsTask();
        await Task.Delay(100);
        Assert.That(closing.IsCompleted, Is.False, "a sandbox of the pool exists");
        mayEnd.Release();
        await closing.WaitAsync(TestTime.Patience);
        await Assert.ThatAsync(() => lastCall, Throws.InstanceOf<ExecutionCanceledException>());
        Assert.That(pool.Statistics.Size, Is.Zero);
    }

    [Test]
    public void A_lost_lease_is_found_while_its_call_waits_for_a_host_function()
    {
        SandboxPool pool = NewPool(
            new SandboxPoolOptions { MaximumSize = 1 },
            builder => builder.WithHostFunction("HostEchoInt", (int x) => new TaskCompletionSource<int>().Task));
        Lose(pool);

        for (long start = Stopwatch.GetTimestamp(); pool.Statistics.LostLeases == 0 && Stopwatch.GetElapsedTime(start) < TestTime.Patience;)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(1);
        }

        Assert.That(pool.Statistics.LostLeases, Is.EqualTo(1));
        using SandboxLease next = pool.RentAsync().AsTask().WaitAsync(TestTime.Patience).GetAwaiter().GetResult();
        Assert.That(next.Call<int>("Add", 1, 2), Is.EqualTo(3));

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static void Lose(SandboxPool pool)
        {
            SandboxLease lease = pool.RentAsync().AsTask().GetAwaiter().GetResult();
            _ = lease.CallAsync<int>("RoundTripInt", 1);
        }
    }

    [Test]
    public async Task A_call_of_the_pool_rents_calls_and_returns()
    {
        // The guest that makes many calls of the host has begun when it makes the second.
        var hasBegun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        SandboxPool pool = NewPool(
            new SandboxPoolOptions { MaximumSize = 1 }, builder => builder.WithHostFunction("HostEchoInt", async (int x) =>
            {
                await Task.Yield();
                if (x == 1)
                {
                    hasBegun.TrySetResult();
                }

                return x;
            }));

        Assert.That(await pool.CallAsync<int>("IncrementCounter", []), Is.EqualTo(1));
        Assert.That(await pool.CallAsync<int>("IncrementCounter", []), Is.EqualTo(1), "the guest is clean");
        Assert.That(await pool.CallAsync<int>("RoundTripInt", [7]), Is.EqualTo(7));
        await pool.CallAsync("IncrementCounter", []);
        Assert.That(await pool.CallAsync<int>("Add", [1, 2], new CallBudget { HostCalls = 0 }), Is.EqualTo(3));
        Assert.That(pool.Statistics.Creations, Is.EqualTo(1));

        await Assert.ThatAsync(() => pool.CallAsync<int>("NoSuchFunction", []), Throws.TypeOf<GuestErrorException>());
        await Assert.ThatAsync(() => pool.CallAsync("NullWrite", []), Throws.TypeOf<GuestAbortedException>());
        await Assert.ThatAsync(
            () => pool.CallAsync("SpinForever", [], new CallBudget { CpuTime = TimeSpan.FromMilliseconds(20) }), Throws.TypeOf<BudgetExceededException>());

        // The call is to be cancelled in the guest, and not while a sandbox is created in place of the last one.
        using (var source = new CancellationTokenSource())
        {
            Task call = pool.CallAsync("CallHostTimes", [int.MaxValue], source.Token);
            await hasBegun.Task.WaitAsync(TestTime.Patience);
            await source.CancelAsync();
            await Assert.ThatAsync(() => call, Throws.TypeOf<ExecutionCanceledException>());
        }

        Assert.That(await pool.CallAsync<int>("IncrementCounter", []), Is.EqualTo(1), "what failed was replaced");
        Assert.That(() => pool.Statistics.Rented, Is.Zero.After(60_000, 1));
        Assert.That(pool.Statistics.Discards, Is.EqualTo(3));
        await Assert.ThatAsync(() => pool.CallAsync<int>("Add", [1, 2], new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task The_budget_of_the_pool_limits_each_call_of_a_lease()
    {
        SandboxPool pool = NewPool(
            new SandboxPoolOptions { MaximumSize = 1, Budget = new CallBudget { HostCalls = 2 } },
            builder => builder.WithHostFunction("HostEchoInt", (int x) => x));
        await using (SandboxLease lease = await pool.RentAsync())
        {
            Assert.That(lease.Call<long>("CallHostTimes", 2), Is.EqualTo(1));
            Assert.That(lease.LastCall.HostCalls, Is.EqualTo(2));
            Assert.That(
                () => lease.Call<long>("CallHostTimes", [3], new CallBudget { HostCalls = 5 }),
                Throws.TypeOf<BudgetExceededException>().With.Property("Limit").EqualTo(2));
        }

        await using SandboxLease next = await pool.RentAsync();
        Assert.That(next.Call<int>("Add", 1, 2), Is.EqualTo(3));
    }

    [Test]
    public async Task A_lease_does_not_say_what_calls_of_the_last_one_have_used()
    {
        SandboxPool pool = NewPool(
            new SandboxPoolOptions { MaximumSize = 1 }, builder => builder.WithHostFunction("HostEchoInt", (int x) => x));
        long id;
        SandboxLease first = await pool.RentAsync();
        await using (first)
        {
            id = first.Id;
            first.Call<int>("RoundTripInt", 1);
            Assert.That(first.LastCall.HostCalls, Is.EqualTo(1));
        }

        await using SandboxLease next = await pool.RentAsync();
        Assert.That(next.Id, Is.EqualTo(id));
        Assert.That(next.LastCall.HostCalls, Is.Zero);
        Assert.That(next.LastCall.CpuTime, Is.EqualTo(TimeSpan.Zero));
        Assert.That(next.LastCall.Instructions ?? 0, Is.Zero);
        Assert.That(() => first.LastCall, Throws.TypeOf<ObjectDisposedException>());
    }

    /// <summary>The bytes of a lease: an object of 72 bytes, and one of 24 that counts its uses.</summary>
    private const long LeaseSize = 96;

    [Test]
    public async Task A_rent_allocates_the_lease_and_nothing_else()
    {
        if (Allocated(() => _allocated = new object()) == 0)
        {
            Assert.Ignore("The runtime does not count here what a thread allocates, as on Wine.");
        }

        SandboxPool pool = NewPool(new SandboxPoolOptions { MaximumSize = 1 });
        using MultiUseSandbox sandbox = target.Builder().Build();
        using Snapshot snapshot = sandbox.TakeSnapshot();
        await pool.WarmUpAsync();

        // The field keeps the compiler from putting an object on the stack, where it would not be counted.
        long lease = Allocated(() =>
        {
            var made = new SandboxLease(sandbox);
            _allocated = made;
            made.Dispose();
        });
        long restore = Allocated(() => sandbox.Restore(snapshot));
        long rent = Allocated(() =>
        {
            ValueTask<SandboxLease> rent = pool.RentAsync();
            using SandboxLease lease = rent.IsCompleted ? rent.Result : throw new InvalidOperationException("No sandbox is idle.");
            lease.Call<int>("Add", 1, 2);
        }, () => SpinWait.SpinUntil(() => pool.Statistics.Idle == 1));

        TestContext.Progress.WriteLine($"{target.Driver}: a lease has {lease} bytes, a restore allocates {restore} bytes, a rent {rent} bytes");
        Assert.That(lease, Is.EqualTo(LeaseSize), "the lease and the counter of its uses");
        Assert.That(rent, Is.EqualTo(lease).Or.EqualTo(lease + restore), "a restore on the thread pool is not counted");
    }

    /// <summary>What a warm run allocates.</summary>
    private static long Allocated(Action action, Action? before = null)
    {
        long least = long.MaxValue;
        for (int i = 0; i < 50; i++)
        {
            before?.Invoke();
            long start = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - start);
        }

        return least;
    }

    private SandboxPool NewPool(SandboxPoolOptions options, Action<SandboxBuilder>? configure = null)
    {
        var pool = new SandboxPool(
            () =>
            {
                SandboxBuilder builder = target.Builder();
                configure?.Invoke(builder);
                return builder;
            },
            options);
        _pools.Add(pool);
        return pool;
    }
}
