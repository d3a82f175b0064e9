using Hyperlight.Host.Configuration;

namespace Hyperlight.Programs.Configuration;

/// <summary>The keys of <see cref="ProgramLimits"/>: each property has one.</summary>
internal static class LimitSettings
{
    private const string Time = "'Infinite', or hours, minutes and seconds such as '00:00:30'";

    public static IReadOnlyList<Setting<ProgramLimits>> All { get; } =
    [
        Setting.Of(
            nameof(ProgramLimits.Memory), "a size from 2 MiB to 8 GiB, such as '256 MiB'", SettingText.LongSize,
            static (ProgramLimits limits, long value) => limits with { Memory = value }),
        Setting.Of(
            nameof(ProgramLimits.Output), "a size below 2 GiB, such as '16 MiB'", SettingText.SmallSize,
            static (ProgramLimits limits, int value) => limits with { Output = value }),
        Setting.Of(
            nameof(ProgramLimits.OutputFileBytes), "a size, such as '64 MiB'", SettingText.LongSize,
            static (ProgramLimits limits, long value) => limits with { OutputFileBytes = value }),
        Setting.Of(
            nameof(ProgramLimits.OutputFiles), "a number of files, such as '10000'", SettingText.SmallCount,
            static (ProgramLimits limits, int value) => limits with { OutputFiles = value }),
        Setting.Of(
            nameof(ProgramLimits.Threads), "a number of threads from 1 to 256, such as '16'", SettingText.SmallCount,
            static (ProgramLimits limits, int value) => limits with { Threads = value }),
        Setting.Of(
            nameof(ProgramLimits.Processes), "a number of processes from 1 to 32, such as '4'", SettingText.SmallCount,
            static (ProgramLimits limits, int value) => limits with { Processes = value }),
        Setting.Of(
            nameof(ProgramLimits.Time), Time, SettingText.Duration,
            static (ProgramLimits limits, TimeSpan value) => limits with { Time = value }),
        Setting.Of(
            nameof(ProgramLimits.CpuTime), "hours, minutes and seconds such as '00:00:05'", SettingText.Duration,
            static (ProgramLimits limits, TimeSpan value) => limits with { CpuTime = value }),
        Setting.Of(
            nameof(ProgramLimits.Instructions), "a number of instructions above 0, such as '1000000000'", SettingText.Count,
            static (ProgramLimits limits, long value) => limits with { Instructions = value }),
        Setting.Of(
            nameof(ProgramLimits.SystemCalls), "a number of system calls, such as '100000'", SettingText.Count,
            static (ProgramLimits limits, long value) => limits with { SystemCalls = value }),
        Setting.Of(
            nameof(ProgramLimits.WarmUpTime), Time, SettingText.Duration,
            static (ProgramLimits limits, TimeSpan value) => limits with { WarmUpTime = value }),
    ];
}
