using System.Diagnostics;
using System.Diagnostics.Metrics;
using Hyperlight.Tests.Host.Sandboxes;
using Hyperlight.Tests.Host.Wire;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Hyperlight.Tests.Host.Diagnostics.Telemetry;

/// <summary>What an exporter of OpenTelemetry gets.</summary>
[TestFixture]
internal sealed class OpenTelemetryTests
{
    [Test]
    public void Metrics_and_traces_are_exported()
    {
        List<MetricSnapshot> metrics = [];
        List<Activity> activities = [];
        using ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        long id;
        using (MeterProvider meterProvider = Sdk.CreateMeterProviderBuilder().AddHyperlightInstrumentation().AddInMemoryExporter(metrics).Build())
        using (TracerProvider tracerProvider = Sdk.CreateTracerProviderBuilder().AddHyperlightInstrumentation().AddInMemoryExporter(activities).Build())
        {
            var guest = new ScriptedMachine();
            guest.Initialise();
            guest.Answer(GoldenVectors.IntResult);
            using MultiUseSandbox sandbox = guest.Builder().WithMetrics(services.GetRequiredService<IMeterFactory>()).Build();
            id = sandbox.Id;
            sandbox.Call<int>("Add");
            meterProvider.ForceFlush();
            tracerProvider.ForceFlush();
        }

        MetricSnapshot duration = metrics.First(m => m.Name == "hyperlight.call.duration" && FunctionsOf(m).Contains("Add"));
        Assert.That(duration.Unit, Is.EqualTo("s"));
        Assert.That(duration.MeterName, Is.EqualTo("Hyperlight"));
        Assert.That(metrics.Select(m => m.Name), Does.Contain("hyperlight.sandbox.count").And.Contain("hyperlight.vcpu.exits"));
        Assert.That(
            activities.Where(a => Equals(a.GetTagItem("hyperlight.sandbox.id"), id)).Select(a => a.DisplayName),
            Is.EqualTo(new[] { "hyperlight.create", "call Add" }));
    }

    /// <summary>Each service provider that registers metrics has a meter of its own.</summary>
    [Test]
    public void Service_providers_have_separate_meters()
    {
        using var first = new RecordedMetrics();
        using var second = new RecordedMetrics();
        Run(first);

        Assert.That(first.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=Add outcome=ok: 1" }));
        Assert.That(second.Of("hyperlight.call.duration"), Is.Empty);
        Run(second);
        Assert.That(first.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=Add outcome=ok: 1" }));
        Assert.That(second.Of("hyperlight.call.duration"), Is.EqualTo(new[] { "driver=mock function=Add outcome=ok: 1" }));
    }

    private static void Run(RecordedMetrics meters)
    {
        var guest = new ScriptedMachine();
        guest.Initialise();
        guest.Answer(GoldenVectors.IntResult);
        var services = new ServiceCollection();
        services.AddSingleton<IMeterFactory>(meters);
        services.AddHyperlight().AddDriver(guest.Hypervisor.Object);
        using ServiceProvider provider = services.BuildServiceProvider();
        using MultiUseSandbox sandbox = provider.GetRequiredService<ISandboxFactory>().CreateBuilder()
            .WithGuest(GuestBinary.FromBytes(Elf.TestElf.OfCode([0xF4]).Build())).WithHypervisor(guest.Hypervisor.Object).Build();
        sandbox.Call<int>("Add");
    }

    private static IEnumerable<object?> FunctionsOf(MetricSnapshot metric)
    {
        foreach (MetricPoint point in metric.MetricPoints)
        {
            foreach (KeyValuePair<string, object?> tag in point.Tags)
            {
                if (tag.Key == "hyperlight.function")
                {
                    yield return tag.Value;
                }
            }
        }
    }
}
