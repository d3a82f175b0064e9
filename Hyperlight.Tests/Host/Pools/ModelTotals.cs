namespace Hyperlight.Tests.Host.Pools;

/// <summary>What has happened in all pools of a run, so that it is visible that everything has.</summary>
internal sealed class ModelTotals
{
    private long _creations;
    private long _restores;
    private long _discards;
    private long _rejections;
    private long _timeouts;

    public long Rents { get; private set; }

    public long Lost { get; private set; }

    public long Crashes { get; private set; }

    public long BudgetsExceeded { get; private set; }

    public void Add(SandboxPoolStatistics statistics, int crashes, int budgetsExceeded)
    {
        Rents += statistics.Rents;
        Lost += statistics.LostLeases;
        Crashes += crashes;
        BudgetsExceeded += budgetsExceeded;
        _creations += statistics.Creations;
        _restores += statistics.Restores;
        _discards += statistics.Discards;
        _rejections += statistics.Rejections;
        _timeouts += statistics.Timeouts;
    }

    public override string ToString() =>
        $"{Rents} rents, {_creations} creations, {_restores} restores, {_discards} discards, {_rejections} rejections, {_timeouts} timeouts, {Lost} lost leases, {Crashes} crashes, {BudgetsExceeded} budgets exceeded";
}
