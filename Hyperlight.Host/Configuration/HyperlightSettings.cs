namespace Hyperlight.Host.Configuration;

/// <summary>The keys of <see cref="HyperlightOptions"/>: each property has one, and the templates.</summary>
internal static class HyperlightSettings
{
    /// <summary>The section of the templates.</summary>
    public const string Sandboxes = "Sandboxes";

    /// <summary>The section of the Linux programs.</summary>
    public const string Programs = "Programs";

    public static IReadOnlyList<Setting<HyperlightOptions>> All { get; } =
    [
        Setting.Of(
            nameof(HyperlightOptions.Hypervisor), "the name of a driver, such as 'kvm'", static text => text,
            static (HyperlightOptions options, string value) => options.Hypervisor = value),
        Setting.OfList(
            nameof(HyperlightOptions.Hypervisors), "a list of names of drivers, such as [\"kvm\", \"emulator\"]",
            static (HyperlightOptions options, string[] values) =>
            {
                options.Hypervisors.Clear();
                foreach (string value in values)
                {
                    options.Hypervisors.Add(value);
                }

                return options;
            }),
        Setting.OfFlag(
            nameof(HyperlightOptions.AllowEmulator),
            static (HyperlightOptions options, bool value) => options.AllowEmulator = value),
        Setting.OfSection(
            nameof(HyperlightOptions.Configuration), SandboxSettings.All, static (HyperlightOptions options) => options.Configuration,
            static (options, value) => options.Configuration = value),
        Setting.Of(
            nameof(HyperlightOptions.GuestThreads), SettingText.GuestThreadsExpected, SettingText.Threads,
            static (HyperlightOptions options, GuestThreads value) => options.GuestThreads = value),

        // Each template reads its own section.
        new(
            Sandboxes, "a section with a section for each template",
            static (options, section, _) => section.Value is { Length: > 0 } ? throw new FormatException() : options),

        // Each program reads its own section.
        new(
            Programs, "a section with a section for each program",
            static (options, section, _) => section.Value is { Length: > 0 } ? throw new FormatException() : options),
    ];
}
