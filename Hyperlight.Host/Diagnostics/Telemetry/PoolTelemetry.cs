using System.Diagnostics;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>Reports what one pool does, as metrics and activities. Never called with the pool's lock: listeners are the application's.</summary>
internal sealed class PoolTelemetry
{
    private readonly HyperlightMetrics _metrics;
    private readonly KeyValuePair<string, object?> _pool;

    public PoolTelemetry(HyperlightMetrics metrics, string name)
    {
        _metrics = metrics;
        TagName = metrics.PoolNames.Add(name);
        _pool = new KeyValuePair<string, object?>(Tags.PoolName, TagName);
    }

    /// <summary>The pool's name as a tag's value.</summary>
    public string TagName { get; }

    public HyperlightMetrics Metrics => _metrics;

    /// <summary>A caller asks for a sandbox.</summary>
    public Observation BeginRent() => Observation.Begin(_metrics.PoolRentDuration, HyperlightActivities.Rent, _pool);

    /// <summary>The time for <see cref="EndLease"/>; 0 if nothing listens.</summary>
    public long BeginLease() => _metrics.PoolLeaseDuration.Enabled ? Stopwatch.GetTimestamp() : 0;

    /// <summary>A sandbox was returned.</summary>
    /// <param name="start">What <see cref="BeginLease"/> has returned.</param>
    public void EndLease(long start)
    {
        if (start != 0)
        {
            _metrics.PoolLeaseDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds, _pool);
        }
    }

    /// <summary>A sandbox will not be used again, because it was returned poisoned, in use or changed.</summary>
    public void RecordNotReusable() => RecordDiscard("not_reusable");

    /// <summary>A sandbox will not be used again, because it could not be restored.</summary>
    public void RecordRestoreFailure() => RecordDiscard("restore_failed");

    /// <summary>A sandbox will not be used again, because its lease was never returned.</summary>
    public void RecordLostLease() => RecordDiscard("lease_lost");

    /// <summary>A sandbox could not be created.</summary>
    public void RecordCreationFailure() => _metrics.PoolCreationFailures.Add(1, _pool);

    private void RecordDiscard(string reason) => _metrics.PoolDiscards.Add(1, _pool, new KeyValuePair<string, object?>(Tags.DiscardReason, reason));
}
