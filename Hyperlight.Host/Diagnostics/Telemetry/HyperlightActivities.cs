using System.Diagnostics;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>The library's activities (spans). Without a listener none is created, and a start is one comparison.</summary>
internal static class HyperlightActivities
{
    public const string Call = "hyperlight.call";
    public const string HostCall = "hyperlight.host_call";
    public const string Create = "hyperlight.create";
    public const string Restore = "hyperlight.restore";
    public const string Snapshot = "hyperlight.snapshot";
    public const string Rent = "hyperlight.rent";
    public const string Program = "hyperlight.program";

    private static readonly ActivitySource Source = new(HyperlightTelemetry.ActivitySourceName, HyperlightTelemetry.Version);

    /// <summary>Whether anything listens.</summary>
    public static bool IsEnabled => Source.HasListeners();

    /// <summary>Starts an activity, which becomes the current one.</summary>
    /// <param name="name">Its name, one of the constants.</param>
    /// <returns>The activity; <see langword="null"/> if nothing listens, or it is not sampled.</returns>
    public static Activity? Start(string name) => Source.StartActivity(name);

    /// <summary>Ends an activity that has failed.</summary>
    public static void SetError(Activity activity, Exception exception)
    {
        activity.SetStatus(ActivityStatusCode.Error, exception.Message);
        activity.SetTag(Tags.ErrorType, exception.GetType().FullName);
    }
}
