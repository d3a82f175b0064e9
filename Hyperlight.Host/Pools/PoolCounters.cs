namespace Hyperlight.Host.Pools;

/// <summary>What has happened in a pool. Changed with the pool's lock.</summary>
internal struct PoolCounters
{
    public long Rents;
    public long Creations;
    public long CreationFailures;
    public long Restores;
    public long Discards;
    public long Rejections;
    public long Timeouts;
    public long LostLeases;

    /// <summary>The statistics with these counters.</summary>
    public readonly SandboxPoolStatistics ToStatistics() => new()
    {
        Rents = Rents,
        Creations = Creations,
        CreationFailures = CreationFailures,
        Restores = Restores,
        Discards = Discards,
        Rejections = Rejections,
        Timeouts = Timeouts,
        LostLeases = LostLeases,
    };
}
