using Hyperlight;

namespace OpenTelemetry.Trace;

/// <summary>Adds the traces of Hyperlight.</summary>
public static class HyperlightTracerProviderBuilderExtensions
{
    /// <summary>Collects the activities of sandboxes and pools: calls, host calls, creations, restores, snapshots and rents.</summary>
    /// <param name="builder">The builder.</param>
    /// <returns><paramref name="builder"/>, for further calls.</returns>
    public static TracerProviderBuilder AddHyperlightInstrumentation(this TracerProviderBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddSource(HyperlightTelemetry.ActivitySourceName);
    }
}
