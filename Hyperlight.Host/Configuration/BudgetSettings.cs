namespace Hyperlight.Host.Configuration;

/// <summary>The keys of <see cref="CallBudget"/>: each property has one.</summary>
internal static class BudgetSettings
{
    private const string Time = "hours, minutes and seconds such as '00:00:05'";
    private const string Number = "a whole number, such as '1000'";

    public static IReadOnlyList<Setting<CallBudget>> All { get; } =
    [
        Setting.Of(
            nameof(CallBudget.WallClockTime), Time, SettingText.Duration,
            static (CallBudget budget, TimeSpan value) => budget with { WallClockTime = value }),
        Setting.Of(
            nameof(CallBudget.CpuTime), Time, SettingText.Duration,
            static (CallBudget budget, TimeSpan value) => budget with { CpuTime = value }),
        Setting.Of(
            nameof(CallBudget.Instructions), "a number of instructions above 0, such as '1000000'", SettingText.Count,
            static (CallBudget budget, long value) => budget with { Instructions = value }),
        Setting.Of(
            nameof(CallBudget.HostCalls), Number, SettingText.Count,
            static (CallBudget budget, long value) => budget with { HostCalls = value }),
        Setting.Of(
            nameof(CallBudget.LogRecords), Number, SettingText.Count,
            static (CallBudget budget, long value) => budget with { LogRecords = value }),
        Setting.Of(
            nameof(CallBudget.PrintedBytes), "a size, such as '64 KiB'", SettingText.LongSize,
            static (CallBudget budget, long value) => budget with { PrintedBytes = value }),
    ];
}
