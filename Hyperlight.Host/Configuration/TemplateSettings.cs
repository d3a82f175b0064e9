namespace Hyperlight.Host.Configuration;

/// <summary>The keys of <see cref="SandboxTemplateOptions"/>: each property has one, and the file mappings.</summary>
internal static class TemplateSettings
{
    /// <summary>The list of file mappings.</summary>
    public const string FileMappings = "FileMappings";

    /// <summary>The keys that choose the guest. One of them in a configuration replaces the guest that code has chosen.</summary>
    public static IReadOnlyList<string> Guests { get; } =
    [
        nameof(SandboxTemplateOptions.Guest),
        nameof(SandboxTemplateOptions.GuestResource),
        nameof(SandboxTemplateOptions.SnapshotDirectory),
    ];

    public static IReadOnlyList<Setting<SandboxTemplateOptions>> All { get; } =
    [
        Setting.OfText(
            nameof(SandboxTemplateOptions.Guest), "the path of a guest, such as 'guests/hello.elf'",
            static (SandboxTemplateOptions o, string value) => o.Guest = value),
        Setting.OfText(
            nameof(SandboxTemplateOptions.GuestResource), "the name of an embedded resource, such as 'hello.elf'",
            static (SandboxTemplateOptions o, string value) => o.GuestResource = value),
        Setting.OfText(
            nameof(SandboxTemplateOptions.GuestAssembly), "the name of an assembly of the application",
            static (SandboxTemplateOptions o, string value) => o.GuestAssembly = value),
        Setting.OfText(
            nameof(SandboxTemplateOptions.SnapshotDirectory), "the directory of a saved snapshot",
            static (SandboxTemplateOptions o, string value) => o.SnapshotDirectory = value),
        Setting.OfText(
            nameof(SandboxTemplateOptions.SnapshotReference), "the tag or the digest of a saved snapshot",
            static (SandboxTemplateOptions o, string value) => o.SnapshotReference = value),
        Setting.OfSection(
            nameof(SandboxTemplateOptions.Configuration), SandboxSettings.All,
            static (SandboxTemplateOptions o) => o.Configuration ?? o.Inherited,
            static (o, value) => o.Configuration = value),
        Setting.OfText(
            nameof(SandboxTemplateOptions.InitDataFile), "the path of a file",
            static (SandboxTemplateOptions o, string value) => o.InitDataFile = value),
        new(
            FileMappings, "a list of sections with Path and GuestAddress",
            static (options, section, problems) =>
            {
                options.ConfiguredFileMappings = FileMappingSettings.Read(section, problems);
                return options;
            }),
        Setting.OfFlag(
            nameof(SandboxTemplateOptions.ReloadOnChange),
            static (SandboxTemplateOptions o, bool value) => o.ReloadOnChange = value),
        Setting.OfSection(
            nameof(SandboxTemplateOptions.Pool), PoolSettings.All, static (SandboxTemplateOptions o) => o.Pool ?? new SandboxPoolOptions(),
            static (o, value) => o.Pool = value),
        Setting.Of(
            nameof(SandboxTemplateOptions.GuestThreads), SettingText.GuestThreadsExpected, SettingText.Threads,
            static (SandboxTemplateOptions o, GuestThreads value) => o.GuestThreads = value),
    ];
}
