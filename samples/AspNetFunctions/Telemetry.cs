using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Hyperlight.Samples.AspNetFunctions;

/// <summary>Metrics for Prometheus at <c>/metrics</c>; metrics and traces by OTLP if an endpoint is configured.</summary>
internal static class Telemetry
{
    public static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        bool exports = !string.IsNullOrEmpty(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics =>
            {
                metrics.AddHyperlightInstrumentation().AddAspNetCoreInstrumentation().AddPrometheusExporter();
                if (exports)
                {
                    metrics.AddOtlpExporter();
                }
            })
            .WithTracing(traces =>
            {
                traces.AddHyperlightInstrumentation().AddAspNetCoreInstrumentation();
                if (exports)
                {
                    traces.AddOtlpExporter();
                }
            });
    }
}
