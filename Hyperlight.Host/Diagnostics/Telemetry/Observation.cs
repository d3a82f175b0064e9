using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>
/// What is observed of one operation: its activity, and its duration with two tags and its outcome. The default value observes
/// nothing, and costs nothing.
/// </summary>
internal readonly struct Observation
{
    private readonly Histogram<double>? _duration;
    private readonly Activity? _activity;
    private readonly Activity? _previous;
    private readonly KeyValuePair<string, object?> _first;
    private readonly KeyValuePair<string, object?> _second;
    private readonly long _start;

    private Observation(Histogram<double> duration, string? activity, KeyValuePair<string, object?> first, KeyValuePair<string, object?> second)
    {
        _duration = duration;
        _first = first;
        _second = second;
        _previous = Activity.Current;
        _activity = activity is null ? null : HyperlightActivities.Start(activity);
        _start = Stopwatch.GetTimestamp();
        Describe(first);
        Describe(second);
    }

    /// <summary>Whether nothing is observed.</summary>
    public bool IsNone => _duration is null;

    /// <summary>The activity, if there is one.</summary>
    public Activity? Activity => _activity;

    /// <summary>Begins to observe an operation, if anything listens to its duration or to activities.</summary>
    /// <param name="duration">Where its duration goes.</param>
    /// <param name="activity">The name of its activity; <see langword="null"/> for none.</param>
    /// <param name="first">A tag of both.</param>
    /// <param name="second">Another one; a default value for none.</param>
    public static Observation Begin(
        Histogram<double> duration,
        string? activity,
        KeyValuePair<string, object?> first,
        KeyValuePair<string, object?> second = default) =>
        duration.Enabled || HyperlightActivities.IsEnabled ? new Observation(duration, activity, first, second) : default;

    /// <summary>Makes the former activity the current one again: the operation goes on without the calling thread.</summary>
    public void Detach()
    {
        if (_activity is not null)
        {
            Activity.Current = _previous;
        }
    }

    /// <summary>The operation has succeeded.</summary>
    public void Succeed() => End(Outcome.Ok);

    /// <summary>The operation has failed.</summary>
    public void Fail(Exception exception) => Fail(exception, Outcome.Of(exception));

    /// <summary>The operation has failed.</summary>
    public void Fail(Exception exception, string outcome)
    {
        if (_activity is { IsAllDataRequested: true })
        {
            HyperlightActivities.SetError(_activity, exception);
        }

        End(outcome);
    }

    /// <summary>The operation has ended.</summary>
    public void End(string outcome)
    {
        if (_duration is null)
        {
            return;
        }

        double seconds = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        var end = new KeyValuePair<string, object?>(Tags.Outcome, outcome);
        if (_second.Key is null)
        {
            _duration.Record(seconds, _first, end);
        }
        else
        {
            _duration.Record(seconds, _first, _second, end);
        }

        _activity?.SetTag(Tags.Outcome, outcome);
        _activity?.Dispose();
    }

    private void Describe(KeyValuePair<string, object?> tag)
    {
        if (_activity is { IsAllDataRequested: true } && tag.Key is not null)
        {
            _activity.SetTag(tag.Key, tag.Value);
        }
    }
}
