using System.Diagnostics;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>What is observed of a call of a guest function. The default value observes nothing, and costs nothing.</summary>
internal readonly struct CallObservation
{
    private readonly SandboxTelemetry? _telemetry;
    private readonly KeyValuePair<string, object?> _driver;
    private readonly string _function;
    private readonly Activity? _activity;
    private readonly Activity? _previous;
    private readonly long _start;

    /// <summary>Whether the call was counted as active, so that it is uncounted only then.</summary>
    private readonly bool _isCounted;

    public CallObservation(SandboxTelemetry telemetry, string function, KeyValuePair<string, object?> driver)
    {
        _telemetry = telemetry;
        _function = function;
        _driver = driver;
        _isCounted = telemetry.Metrics.ActiveCalls.Enabled;
        if (_isCounted)
        {
            telemetry.Metrics.ActiveCalls.Add(1, driver);
        }

        _previous = Activity.Current;
        _activity = HyperlightActivities.Start(HyperlightActivities.Call);
        _start = Stopwatch.GetTimestamp();
        if (_activity is { IsAllDataRequested: true })
        {
            _activity.SetTag(Tags.Function, GuestText.Escape(function, TagValues.MaximumLength));
            _activity.SetTag(Tags.Driver, driver.Value);
            telemetry.Describe(_activity);
        }
    }

    /// <summary>Whether nothing is observed.</summary>
    public bool IsNone => _telemetry is null;

    /// <summary>Makes the former activity the current one again: the call goes on without the calling thread.</summary>
    public void Detach()
    {
        if (_activity is not null)
        {
            Activity.Current = _previous;
        }
    }

    /// <summary>The guest function has returned.</summary>
    public void Succeed() => End(Outcome.Ok, _telemetry!.Metrics.Functions.Add(_function));

    /// <summary>The call has failed.</summary>
    public void Fail(Exception exception)
    {
        if (_activity is { IsAllDataRequested: true })
        {
            HyperlightActivities.SetError(_activity, exception);
        }

        _telemetry!.RecordFailure(exception);
        string outcome = Outcome.Of(exception);
        End(outcome, _telemetry.NameAfterFailure(_function, outcome, exception));
    }

    private void End(string outcome, string function)
    {
        HyperlightMetrics metrics = _telemetry!.Metrics;
        metrics.CallDuration.Record(
            Stopwatch.GetElapsedTime(_start).TotalSeconds,
            new KeyValuePair<string, object?>(Tags.Function, function),
            new KeyValuePair<string, object?>(Tags.Outcome, outcome),
            _driver);
        if (_isCounted)
        {
            metrics.ActiveCalls.Add(-1, _driver);
        }

        if (_activity is not null)
        {
            _activity.DisplayName = $"call {function}";
            _activity.SetTag(Tags.Outcome, outcome);
            _activity.Dispose();
        }
    }
}
