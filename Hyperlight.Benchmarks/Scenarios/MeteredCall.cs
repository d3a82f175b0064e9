using System.Diagnostics.Metrics;
using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>The warm call of two integers, with a listener of every metric of its sandbox.</summary>
internal sealed class MeteredCall : Scenario, IMeterFactory
{
    private readonly MeterListener _listener = new();
    private readonly MultiUseSandbox _sandbox;
    private Meter? _meter;
    private double _sum;

    public MeteredCall(BenchmarkDriver driver)
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (ReferenceEquals(instrument.Meter.Scope, this))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((_, value, _, _) => _sum += value);
        _listener.SetMeasurementEventCallback<double>((_, value, _, _) => _sum += value);
        _listener.Start();
        _sandbox = TestGuest.Builder(driver).WithMetrics(this).Build();
    }

    public Meter Create(MeterOptions options)
    {
        options.Scope = this;
        return _meter = new Meter(options);
    }

    public override void Run() => _sandbox.Call<int>("Add", 1, 2);

    public override void Dispose()
    {
        _sandbox.Dispose();
        _listener.Dispose();
        _meter?.Dispose();
    }
}
