namespace Hyperlight;

/// <summary>The names under which the library's metrics and traces are found.</summary>
public static class HyperlightTelemetry
{
    /// <summary>The name of the <see cref="System.Diagnostics.Metrics.Meter"/>.</summary>
    public const string MeterName = "Hyperlight";

    /// <summary>The name of the <see cref="System.Diagnostics.ActivitySource"/>.</summary>
    public const string ActivitySourceName = "Hyperlight";

    /// <summary>The version of both.</summary>
    internal static string? Version { get; } = typeof(HyperlightTelemetry).Assembly.GetName().Version?.ToString(3);
}
