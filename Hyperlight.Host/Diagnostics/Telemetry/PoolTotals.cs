using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using Hyperlight.Host.Pools;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>The pools that exist, for instruments that are read when they are observed. It does not keep pools alive. Thread-safe.</summary>
internal sealed class PoolTotals
{
    private readonly ConditionalWeakTable<SandboxPool, string> _pools = [];

    /// <summary>A pool was created.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="name">Its name as a tag's value.</param>
    public void Add(SandboxPool pool, string name) => _pools.Add(pool, name);

    /// <summary>A pool is closed, and has no sandboxes any more.</summary>
    public void Remove(SandboxPool pool) => _pools.Remove(pool);

    /// <summary>The sandboxes, by state.</summary>
    public IEnumerable<Measurement<long>> Sandboxes() => Read().SelectMany(static p => new[]
    {
        InState(p, "idle", p.State.Idle),
        InState(p, "rented", p.State.Rented),
        InState(p, "creating", p.State.Creating),
        InState(p, "restoring", p.State.Restoring),
        InState(p, "retiring", p.State.Retiring),
    });

    /// <summary>How many sandboxes can exist.</summary>
    public IEnumerable<Measurement<long>> Maximum() => Read().Select(static p => new Measurement<long>(p.State.Maximum, Pool(p.Name)));

    /// <summary>How many callers wait.</summary>
    public IEnumerable<Measurement<long>> Waiting() => Read().Select(static p => new Measurement<long>(p.State.Waiting, Pool(p.Name)));

    /// <summary>The states by name: pools of the same name are added up.</summary>
    private IEnumerable<(string Name, PoolState State)> Read() => _pools
        .GroupBy(static p => p.Value, static p => p.Key.ReadState(), StringComparer.Ordinal)
        .Select(static g => (g.Key, g.Aggregate(static (a, b) => a + b)));

    private static Measurement<long> InState((string Name, PoolState State) pool, string state, int count) =>
        new(count, Pool(pool.Name), new KeyValuePair<string, object?>(Tags.PoolState, state));

    private static KeyValuePair<string, object?> Pool(string name) => new(Tags.PoolName, name);
}
