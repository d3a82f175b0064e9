using Hyperlight.Host.Configuration;

namespace Hyperlight.Programs.Configuration;

/// <summary>
/// The keys of <see cref="ProgramOptions"/>. What a program has of the application, such as its image, its directories, its tools and its network, is set
/// in code alone.
/// </summary>
internal static class ProgramSettings
{
    public static IReadOnlyList<Setting<ProgramOptions>> All { get; } =
    [
        Setting.OfText(
            nameof(ProgramOptions.Executable), "the absolute path of a file in the image, such as '/usr/bin/python3'",
            static (ProgramOptions options, string value) => options.Executable = value),
        Setting.OfText(
            nameof(ProgramOptions.WorkingDirectory), "the absolute path of a directory in the image, such as '/app'",
            static (ProgramOptions options, string value) => options.WorkingDirectory = value),
        Setting.OfList(
            nameof(ProgramOptions.Command), "a list of arguments, such as [\"/usr/bin/python3\", \"/app/job.py\"]",
            static (ProgramOptions options, string[] values) => options.Command = values),
        Setting.OfName(
            nameof(ProgramOptions.Checkpoint),
            static (ProgramOptions options, ProgramCheckpoint value) => options.Checkpoint = value),
        Setting.OfText(
            nameof(ProgramOptions.CheckpointDirectory), "the path of a directory, such as '/var/cache/app/checkpoints'",
            static (ProgramOptions options, string value) => options.CheckpointDirectory = value),
        Setting.Of(
            nameof(ProgramOptions.Seed), "a whole number from 0 to 18446744073709551615", SettingText.Seed,
            static (ProgramOptions options, ulong value) => options.Seed = value),
        Setting.Of(
            nameof(ProgramOptions.StartTime), "a time such as '2026-01-01T00:00:00Z'", SettingText.Instant,
            static (ProgramOptions options, DateTimeOffset value) => options.StartTime = value),
        Setting.OfSection(
            nameof(ProgramOptions.Limits), LimitSettings.All, static (ProgramOptions options) => options.Limits,
            static (options, value) => options.Limits = value),
        Setting.OfSection(
            nameof(ProgramOptions.Pool), PoolSettings.All, static (ProgramOptions options) => options.Pool,
            static (options, value) => options.Pool = value),
    ];
}
