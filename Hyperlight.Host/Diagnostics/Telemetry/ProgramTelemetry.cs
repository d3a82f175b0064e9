namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>Reports the runs of one Linux program, as metrics and activities.</summary>
internal sealed class ProgramTelemetry(HyperlightMetrics metrics, string name)
{
    private readonly KeyValuePair<string, object?> _pool = new(Tags.PoolName, metrics.PoolNames.Add(name));

    /// <summary>A caller asks for a run.</summary>
    public ProgramObservation Begin() => new(metrics, _pool);
}
