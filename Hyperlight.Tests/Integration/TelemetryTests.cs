using System.Diagnostics.Metrics;
using Hyperlight.Tests.Host.Diagnostics.Telemetry;

namespace Hyperlight.Tests.Integration;

/// <summary>The metrics of a real guest, and what they cost.</summary>
[TestFixtureSource(typeof(TestTargets), nameof(TestTargets.RunnableDrivers))]
internal sealed class TelemetryTests(TestTarget target)
{
    [Test]
    public void Each_instrument_has_its_values_after_a_life_of_a_sandbox()
    {
        using var metrics = new RecordedMetrics();
        using (MultiUseSandbox sandbox = target.Builder().WithMetrics(metrics).Build())
        {
            sandbox.WithHostFunction("HostEchoInt", (int x) => x);
            using Snapshot clean = sandbox.TakeSnapshot();
            sandbox.Call<int>("Add", 1, 2);
            sandbox.Call<int>("Add", 1, 2);
            sandbox.Call<int>("RoundTripInt", 1);
            Assert.That(() => sandbox.Call<int>("NoSuchFunction"), Throws.TypeOf<GuestErrorException>());
            Assert.That(() => sandbox.Call("InvalidOpcode"), Throws.TypeOf<GuestAbortedException>());
            Assert.That(() => sandbox.Call<int>("Add", 1, 2), Throws.TypeOf<SandboxPoisonedException>());
            sandbox.Restore(clean);

            // Long enough for a slow machine to enter the guest.
            Assert.That(() => sandbox.Call("SpinForever", [], TimeSpan.FromSeconds(4)), Throws.InstanceOf<ExecutionCanceledException>());
            sandbox.Restore(clean);
            Assert.That(CountOf(metrics, "hyperlight.sandbox.count"), Is.EqualTo(new[] { "1" }));
        }

        string driver = target.Hypervisor.Name;
        Assert.That(metrics.Of("hyperlight.call.duration"), Is.EqualTo(new[]
        {
            $"driver={driver} function=Add outcome=ok: 2",
            $"driver={driver} function=Add outcome=rejected: 1",
            $"driver={driver} function=InvalidOpcode outcome=aborted: 1",
            $"driver={driver} function=RoundTripInt outcome=ok: 1",
            $"driver={driver} function=SpinForever outcome=timed_out: 1",
            $"driver={driver} function=_OTHER outcome=guest_error: 1",
        }));
        Assert.That(metrics.Of("hyperlight.host_call.duration"), Is.EqualTo(new[] { $"driver={driver} host_function=HostEchoInt outcome=ok: 1" }));
        Assert.That(metrics.Of("hyperlight.vcpu.exits"), Does.Contain($"driver={driver} kind=halt: 5").And.Contain($"driver={driver} kind=host_call: 1"));
        Assert.That(metrics.Of("hyperlight.guest.errors").Select(e => e.Split(' ')[0]), Does.Contain("code=GuestFunctionNotFound"));
        Assert.That(metrics.Of("hyperlight.call.cancellations"), Is.EqualTo(new[] { $"driver={driver} reason=timeout: 1" }));
        Assert.That(metrics.Of("hyperlight.sandbox.poisonings"), Is.EqualTo(new[] { $"driver={driver} outcome=aborted: 1", $"driver={driver} outcome=timed_out: 1" }));
        Assert.That(metrics.Of("hyperlight.sandbox.create.duration"), Is.EqualTo(new[] { $"driver={driver} origin=guest outcome=ok: 1" }));
        Assert.That(metrics.Of("hyperlight.sandbox.snapshot.duration"), Is.EqualTo(new[] { $"driver={driver} outcome=ok: 1" }));
        Assert.That(metrics.Of("hyperlight.sandbox.restore.duration"), Is.EqualTo(new[] { $"driver={driver} outcome=ok: 2" }));
        Assert.That(metrics.Of("hyperlight.sandbox.count"), Is.Empty);
        Assert.That(metrics.Of("hyperlight.sandbox.memory"), Is.Empty);
        Assert.That(metrics.Of("hyperlight.call.active"), Is.Empty);
    }

    [Test]
    public void A_warm_call_allocates_nothing_while_all_metrics_are_recorded()
    {
        using var meters = new SummedMetrics();
        using MultiUseSandbox sandbox = target.Builder().WithMetrics(meters).Build();
        sandbox.WithHostFunction("HostEchoInt", (int x) => x);
        for (int i = 0; i < 200; i++)
        {
            sandbox.Call<int>("RoundTripInt", 1);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 200; i++)
        {
            sandbox.Call<int>("RoundTripInt", 1);
        }

        Assert.That((GC.GetAllocatedBytesForCurrentThread() - before) / 200, Is.Zero);
        Assert.That(meters.Sum, Is.GreaterThan(0));
    }

    private static IEnumerable<string> CountOf(RecordedMetrics metrics, string instrument) => metrics.Of(instrument).Select(v => v.Split(": ")[1]);

    /// <summary>Listens without allocating.</summary>
    private sealed class SummedMetrics : IMeterFactory
    {
        private readonly MeterListener _listener = new();
        private Meter? _meter;

        public SummedMetrics()
        {
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter.Scope, this))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            };
            _listener.SetMeasurementEventCallback<long>((_, value, _, _) => Sum += value);
            _listener.SetMeasurementEventCallback<double>((_, value, _, _) => Sum += value);
            _listener.Start();
        }

        public double Sum { get; private set; }

        public Meter Create(MeterOptions options)
        {
            options.Scope = this;
            return _meter = new Meter(options);
        }

        public void Dispose()
        {
            _listener.Dispose();
            _meter?.Dispose();
        }
    }
}
