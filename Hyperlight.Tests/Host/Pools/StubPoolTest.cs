using System.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Tests.Integration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>The base of the tests of pools over stubs, with a clock that the test moves.</summary>
internal abstract class StubPoolTest
{
    private readonly List<SandboxPool> _pools = [];

    protected StubSource Source { get; private set; } = null!;

    protected FakeTimeProvider Time { get; private set; } = null!;

    protected RecordingLoggers Loggers { get; private set; } = null!;

    [SetUp]
    public void Create()
    {
        Source = new StubSource();
        Time = new FakeTimeProvider();
        Loggers = new RecordingLoggers(LogLevel.Information);
    }

    [TearDown]
    public void DisposePools()
    {
        _pools.ForEach(pool => pool.Dispose());
        _pools.Clear();
        Assert.That(Source.Violations, Is.Empty);
    }

    /// <summary>Where new pools record metrics.</summary>
    protected HyperlightMetrics Metrics { get; set; } = HyperlightMetrics.Default;

    protected SandboxPool NewPool(int maximum = 2, Func<SandboxPoolOptions, SandboxPoolOptions>? configure = null)
    {
        var options = new SandboxPoolOptions { MaximumSize = maximum, MinimumSize = 0 };
        var pool = new SandboxPool(Source, configure?.Invoke(options) ?? options, "test", Loggers, Time, Metrics);
        _pools.Add(pool);
        return pool;
    }

    /// <summary>Rents and waits for it.</summary>
    protected static SandboxLease Rent(SandboxPool pool) => Wait(pool.RentAsync());

    protected static SandboxLease Rent(SandboxPool pool, string key) => Wait(pool.RentAsync(key));

    /// <summary>Returns a lease whose sandbox is being restored afterwards, until it may end.</summary>
    protected Task ReturnUntil(SemaphoreSlim mayRestore, SandboxPool pool, SandboxLease lease)
    {
        Source.Delay = mayRestore.Wait;
        Task returning = Task.Factory.StartNew(lease.Dispose, default, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        Eventually(() => pool.Statistics.Restoring == 1, "the sandbox is being restored");
        return returning;
    }

    protected static SandboxLease Wait(ValueTask<SandboxLease> rent) => Wait(rent.AsTask());

    protected static T Wait<T>(Task<T> task)
    {
        // A deadlock is a failure and not a test that does not end.
        Assert.That(task.ContinueWith(static _ => { }, TaskScheduler.Default).Wait(TestTime.Patience), Is.True, "It does not end.");
        return task.GetAwaiter().GetResult();
    }

    /// <summary>Waits for what the pool does on other threads.</summary>
    protected static void Eventually(Func<bool> condition, string what)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TimeSpan.FromMinutes(1)), what);
            Thread.Sleep(1);
        }
    }

    /// <summary>A caller that waits in the queue.</summary>
    protected static Task<SandboxLease> Enqueue(SandboxPool pool, CancellationToken token = default)
    {
        int before = pool.Statistics.Waiting;
        Task<SandboxLease> task = pool.RentAsync(token).AsTask();
        Assert.That(pool.Statistics.Waiting, Is.EqualTo(before + 1));
        return task;
    }
}
