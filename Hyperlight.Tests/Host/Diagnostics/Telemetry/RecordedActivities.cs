using System.Collections.Concurrent;
using System.Diagnostics;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>Listens to the library's activities, and keeps those of one trace: other tests may use the library at the same time.</summary>
internal sealed class RecordedActivities : IDisposable
{
    private readonly ActivitySource _source = new("Hyperlight.Tests");
    private readonly ActivityListener _listener;
    private readonly ConcurrentQueue<Activity> _stopped = new();

    public RecordedActivities()
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == HyperlightTelemetry.ActivitySourceName || ReferenceEquals(source, _source),
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.Source.Name == HyperlightTelemetry.ActivitySourceName)
                {
                    _stopped.Enqueue(activity);
                }
            },
        };
        ActivitySource.AddActivityListener(_listener);
        Root = _source.StartActivity("test")!;
    }

    /// <summary>The activity of the test, which is current.</summary>
    public Activity Root { get; }

    /// <summary>The activities of the library within the test, in the order in which they ended.</summary>
    public IReadOnlyList<Activity> Stopped => [.. _stopped.Where(a => a.TraceId == Root.TraceId)];

    public void Dispose()
    {
        Root.Dispose();
        _listener.Dispose();
        _source.Dispose();
    }
}
