using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;

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
    public IEnumerable<Measurement<long>> Sandboxes() => Read().SelectMany(static pools => new[]
    {
        InState(pools, "idle", static pool => pool.Idle),
        InState(pools, "rented", static pool => pool.Rented),
        InState(pools, "creating", static pool => pool.Creating),
        InState(pools, "restoring", static pool => pool.Restoring),
        InState(pools, "retiring", static pool => pool.Retiring),
    });

    /// <summary>How many sandboxes can exist.</summary>
    public IEnumerable<Measurement<long>> Maximum() =>
        Read().Select(static pools => new Measurement<long>(pools.Sum(static pool => (long)pool.MaximumSize), Pool(pools.Key)));

    /// <summary>How many callers wait.</summary>
    public IEnumerable<Measurement<long>> Waiting() =>
        Read().Select(static pools => new Measurement<long>(pools.Sum(static pool => (long)pool.Waiting), Pool(pools.Key)));

    /// <summary>The states of the pools by name: those of the same name are added up.</summary>
    private IEnumerable<IGrouping<string, SandboxPoolStatistics>> Read() =>
        _pools.GroupBy(static pool => pool.Value, static pool => pool.Key.Statistics, StringComparer.Ordinal);

    private static Measurement<long> InState(
        IGrouping<string, SandboxPoolStatistics> pools, string state, Func<SandboxPoolStatistics, long> count) =>
        new(pools.Sum(count), Pool(pools.Key), new KeyValuePair<string, object?>(Tags.PoolState, state));

    private static KeyValuePair<string, object?> Pool(string name) => new(Tags.PoolName, name);
}
