using System.Collections.Concurrent;
using System.Diagnostics;
using Hyperlight.Host.Pools;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>A pool with random options over stubs that fail at random.</summary>
internal sealed class ModelPool : ISandboxTemplate
{
    private long _lastMark;

    public ModelPool(Random random)
    {
        int maximum = random.Next(1, 8);
        Options = new SandboxPoolOptions
        {
            MaximumSize = maximum,
            MinimumSize = random.Next(0, maximum + 1),
            QueueLength = random.Next(0, 6),
            WaitTimeout = TimeSpan.FromMilliseconds(random.Next(1, 5)),
            IdleTimeout = TimeSpan.FromMilliseconds(random.Next(1, 50)),
            DrainTimeout = TimeSpan.FromMilliseconds(random.Next(1, 50)),
            Isolation = (SandboxIsolation)random.Next(0, 4),
        };
        FailureRate = random.Next(0, 3) == 0 ? 0.1 : 0;
        ClosesEarly = random.Next(0, 5) == 0;
        DrainsLeases = random.Next(0, 2) == 0;
        Pool = new SandboxPool(this, Options, "model", null, null);
    }

    public SandboxPoolOptions Options { get; }

    public SandboxPool Pool { get; }

    public StubCounters Counters { get; } = new();

    /// <summary>How often a creation or a restore fails.</summary>
    public double FailureRate { get; }

    /// <summary>Whether a caller may close the pool.</summary>
    public bool ClosesEarly { get; }

    /// <summary>Whether a lease is in use when the pool is closed at the end.</summary>
    public bool DrainsLeases { get; }

    /// <summary>What the callers have done.</summary>
    public ModelActions Actions { get; } = new();

    /// <summary>Leases that another thread may return at any time.</summary>
    public ConcurrentBag<SandboxLease> Shared { get; } = [];

    /// <summary>A number that only one lease leaves in its guest.</summary>
    public long NextMark() => Interlocked.Increment(ref _lastMark);

    public ISandboxSource Load(CancellationToken cancellationToken) => new StubSource(Counters)
    {
        FailsToCreate = Fails,
        FailsToRestore = Fails,
        ReleasesAfterCalls = true,
    };

    /// <summary>Returns what is shared, waits until all lost leases are found, and closes the pool.</summary>
    public async Task CloseAsync(ModelTotals totals)
    {
        while (Shared.TryTake(out SandboxLease? lease))
        {
            await lease.DisposeAsync();
        }

        long start = Stopwatch.GetTimestamp();
        while (Pool.Statistics.Rented > 0)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TimeSpan.FromMinutes(2)), "A lease was not found.");
            Thread.Sleep(1);
        }

        Assert.That(Pool.Statistics.Waiting, Is.Zero);
        SandboxLease? kept = DrainsLeases ? await TryRentAsync() : null;
        Task? parked = kept?.CallAsync<long>("Park", [], CancellationToken.None);
        await Pool.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2));
        if (parked is not null)
        {
            await Assert.ThatAsync(() => parked, Throws.TypeOf<ExecutionCanceledException>(), "the pool ends what does not return");
            kept!.Dispose();
            Actions.Count(ModelAction.Drain);
        }

        totals.Add(Pool.Statistics, Actions);
    }

    private async Task<SandboxLease?> TryRentAsync()
    {
        try
        {
            return await (Options.Isolation == SandboxIsolation.KeepStatePerKey ? Pool.RentAsync("kept") : Pool.RentAsync());
        }
        catch (HyperlightException)
        {
            // A creation may fail, or take too long, and the pool may be closed.
            return null;
        }
    }

    private bool Fails() => FailureRate > 0 && Random.Shared.NextDouble() < FailureRate;
}
