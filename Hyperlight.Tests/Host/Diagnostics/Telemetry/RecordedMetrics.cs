using System.Diagnostics.Metrics;
using System.Globalization;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>A meter factory whose meters are listened to, and no others.</summary>
internal sealed class RecordedMetrics : IMeterFactory
{
    private readonly List<Meter> _meters = [];
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, SortedDictionary<string, double>> _values = [];
    private readonly HashSet<string> _observable = [];

    public RecordedMetrics()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, this))
            {
                Instruments.Add(instrument);
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The instruments of the meters.</summary>
    public List<Instrument> Instruments { get; } = [];

    public IReadOnlyList<Meter> Meters => _meters;

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        var meter = new Meter(options);
        _meters.Add(meter);
        return meter;
    }

    /// <summary>
    /// What an instrument has recorded, as "tag=value ...: number", in the order of the tags: the sum of a counter, the number of
    /// values of a histogram, the last value of an observable instrument. Prefixes of tags are left out.
    /// </summary>
    public string[] Of(string instrument)
    {
        lock (_values)
        {
            foreach (string observable in _observable)
            {
                _values.Remove(observable);
            }
        }

        _listener.RecordObservableInstruments();
        lock (_values)
        {
            return _values.TryGetValue(instrument, out SortedDictionary<string, double>? values)
                ? [.. values.Where(v => v.Value != 0).Select(v => string.Create(CultureInfo.InvariantCulture, $"{v.Key}: {v.Value}"))]
                : [];
        }
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meters.ForEach(meter => meter.Dispose());
    }

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string key = string.Join(' ', tags.ToArray().Select(t => $"{t.Key[(t.Key.LastIndexOf('.') + 1)..]}={t.Value}").Order(StringComparer.Ordinal));
        lock (_values)
        {
            if (!_values.TryGetValue(instrument.Name, out SortedDictionary<string, double>? values))
            {
                _values.Add(instrument.Name, values = new(StringComparer.Ordinal));
            }

            double amount = instrument is Histogram<double> ? 1 : value;
            if (instrument.IsObservable)
            {
                _observable.Add(instrument.Name);
            }

            values[key] = values.GetValueOrDefault(key) + amount;
        }
    }
}
