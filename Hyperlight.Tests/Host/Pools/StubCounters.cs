using System.Collections.Concurrent;

namespace Hyperlight.Tests.Host.Pools;

/// <summary>What all sources of a pool have created.</summary>
internal sealed class StubCounters
{
    private readonly Lock _lock = new();
    private long _lastId;

    /// <summary>What went wrong in the pool.</summary>
    public ConcurrentQueue<string> Violations { get; } = new();

    /// <summary>The sandboxes that exist.</summary>
    public int Alive { get; private set; }

    /// <summary>The most that existed at a time.</summary>
    public int MostAlive { get; private set; }

    /// <summary>Counts a sandbox.</summary>
    /// <returns>Its number.</returns>
    public long Created()
    {
        lock (_lock)
        {
            Alive++;
            MostAlive = Math.Max(MostAlive, Alive);
            return ++_lastId;
        }
    }

    public void Disposed()
    {
        lock (_lock)
        {
            Alive--;
        }
    }
}
