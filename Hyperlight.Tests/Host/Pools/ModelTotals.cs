namespace Hyperlight.Tests.Host.Pools;

/// <summary>What has happened in all pools of a run, so that it is visible that everything has.</summary>
internal sealed class ModelTotals
{
    private long _rents;
    private long _lost;
    private long _creations;
    private long _restores;
    private long _discards;
    private long _rejections;
    private long _timeouts;

    public long Lost => _lost;

    public ModelActions Actions { get; } = new();

    public void Add(SandboxPoolStatistics statistics, ModelActions actions)
    {
        Actions.Add(actions);
        _rents += statistics.Rents;
        _lost += statistics.LostLeases;
        _creations += statistics.Creations;
        _restores += statistics.Restores;
        _discards += statistics.Discards;
        _rejections += statistics.Rejections;
        _timeouts += statistics.Timeouts;
    }

    public override string ToString() =>
        $"{Actions}; the pools: {_rents} rents, {_creations} creations, {_restores} restores, {_discards} discards, {_rejections} rejections, {_timeouts} timeouts, {_lost} lost leases";
}
