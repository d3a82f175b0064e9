namespace Hyperlight.Host.Configuration;

/// <summary>The keys of <see cref="SandboxPoolOptions"/>: each property has one.</summary>
internal static class PoolSettings
{
    private const string Size = "a number of sandboxes";
    private const string Duration = "hours, minutes and seconds such as '00:00:30'";

    public static IReadOnlyList<Setting<SandboxPoolOptions>> All { get; } =
    [
        Setting.Of(
            nameof(SandboxPoolOptions.MaximumSize), Size + " from 1 to 65536, such as '8'", SettingText.SmallCount,
            static (SandboxPoolOptions o, int value) => o with { MaximumSize = value }),
        Setting.Of(
            nameof(SandboxPoolOptions.MinimumSize), Size + " from 0 to 65536, such as '1'", SettingText.SmallCount,
            static (SandboxPoolOptions o, int value) => o with { MinimumSize = value }),
        Setting.Of(
            nameof(SandboxPoolOptions.QueueLength), "a number of callers from 0 to 1000000, such as '1000'", SettingText.SmallCount,
            static (SandboxPoolOptions o, int value) => o with { QueueLength = value }),
        Setting.Of(
            nameof(SandboxPoolOptions.WaitTimeout), "'Infinite', or " + Duration, SettingText.Duration,
            static (SandboxPoolOptions o, TimeSpan value) => o with { WaitTimeout = value }),
        Setting.Of(
            nameof(SandboxPoolOptions.IdleTimeout), "'Infinite', or " + Duration, SettingText.Duration,
            static (SandboxPoolOptions o, TimeSpan value) => o with { IdleTimeout = value }),
        Setting.Of(
            nameof(SandboxPoolOptions.DrainTimeout), Duration, SettingText.Duration,
            static (SandboxPoolOptions o, TimeSpan value) => o with { DrainTimeout = value }),
        Setting.OfSection(
            nameof(SandboxPoolOptions.Budget), BudgetSettings.All, static (SandboxPoolOptions o) => o.Budget,
            static (SandboxPoolOptions o, CallBudget value) => o with { Budget = value }),
        Setting.OfName(
            nameof(SandboxPoolOptions.Isolation),
            static (SandboxPoolOptions o, SandboxIsolation value) => o with { Isolation = value }),
        Setting.OfFlag(
            nameof(SandboxPoolOptions.CaptureRentStack),
            static (SandboxPoolOptions o, bool value) => o with { CaptureRentStack = value }),
    ];
}
