using System.Diagnostics;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>
/// What is observed of one run of a Linux program: its activity, from the request to the result, and its duration, from when it has a
/// runner. Used by one thread at a time; one of the methods that end it is called once.
/// </summary>
internal sealed class ProgramObservation
{
    private readonly HyperlightMetrics _metrics;
    private readonly KeyValuePair<string, object?> _pool;
    private readonly Activity? _activity;
    private long _start;

    public ProgramObservation(HyperlightMetrics metrics, KeyValuePair<string, object?> pool)
    {
        _metrics = metrics;
        _pool = pool;
        _activity = HyperlightActivities.Start(HyperlightActivities.Program);
        SetTag(pool);
    }

    /// <summary>The run has a runner.</summary>
    public void BeginRun()
    {
        _start = Stopwatch.GetTimestamp();
        _metrics.ActiveProgramRuns.Add(1, _pool);
    }

    /// <summary>The run has a result.</summary>
    /// <param name="end">How the program ended, as the value of a tag.</param>
    /// <param name="exitCode">Its exit code.</param>
    public void End(string end, int exitCode)
    {
        SetTag(new KeyValuePair<string, object?>(Tags.ProgramExitCode, exitCode));
        End(Outcome.Ok, new KeyValuePair<string, object?>(Tags.ProgramEnd, end));
    }

    /// <summary>The run has no result.</summary>
    public void Fail(Exception exception)
    {
        if (_activity is { IsAllDataRequested: true })
        {
            HyperlightActivities.SetError(_activity, exception);
        }

        End(Outcome.Of(exception), null);
    }

    private void End(string outcome, KeyValuePair<string, object?>? end)
    {
        var tags = new TagList { _pool, { Tags.Outcome, outcome } };
        SetTag(new KeyValuePair<string, object?>(Tags.Outcome, outcome));
        if (end is { } tag)
        {
            tags.Add(tag);
            SetTag(tag);
        }

        // First: a listener of the metrics may throw.
        _activity?.Dispose();
        if (_start != 0)
        {
            _metrics.ActiveProgramRuns.Add(-1, _pool);
            _metrics.ProgramRunDuration.Record(Stopwatch.GetElapsedTime(_start).TotalSeconds, tags);
        }
    }

    private void SetTag(KeyValuePair<string, object?> tag)
    {
        if (_activity is { IsAllDataRequested: true })
        {
            _activity.SetTag(tag.Key, tag.Value);
        }
    }
}
