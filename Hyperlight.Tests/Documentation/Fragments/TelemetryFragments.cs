using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>The fragments of docs/telemetry.md.</summary>
[TestFixture]
internal sealed class TelemetryFragments : FragmentFixture
{
    [Test]
    public void Registration_in_a_web_application()
    {
        var builder = new Application();

        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics.AddHyperlightInstrumentation())
            .WithTracing(traces => traces.AddHyperlightInstrumentation());

        using ServiceProvider services = builder.Services.BuildServiceProvider();
        Assert.That(services.GetRequiredService<MeterProvider>(), Is.Not.Null);
        Assert.That(services.GetRequiredService<TracerProvider>(), Is.Not.Null);
    }

    /// <summary>What <c>WebApplicationBuilder</c> has, without ASP.NET.</summary>
    private sealed class Application
    {
        public ServiceCollection Services { get; } = [];
    }
}
