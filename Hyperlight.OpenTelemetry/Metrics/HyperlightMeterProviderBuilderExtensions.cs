using Hyperlight;

namespace OpenTelemetry.Metrics;

/// <summary>Adds the metrics of Hyperlight.</summary>
public static class HyperlightMeterProviderBuilderExtensions
{
    /// <summary>Collects the metrics of sandboxes and pools.</summary>
    /// <param name="builder">The builder.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    public static MeterProviderBuilder AddHyperlightInstrumentation(this MeterProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddMeter(HyperlightTelemetry.MeterName);
    }
}
