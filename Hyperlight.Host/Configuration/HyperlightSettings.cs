namespace Hyperlight.Host.Configuration;

/// <summary>The keys of <see cref="HyperlightOptions"/>: each property has one.</summary>
internal static class HyperlightSettings
{
    public static IReadOnlyList<Setting<HyperlightOptions>> All { get; } =
    [
        Setting.Of(
            nameof(HyperlightOptions.Hypervisor), "the name of a driver, such as 'kvm'", static text => text,
            static (HyperlightOptions options, string value) =>
            {
                options.Hypervisor = value;
                return options;
            }),
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
        Setting.Of(
            nameof(HyperlightOptions.AllowEmulator), "'true' or 'false'", SettingText.Flag,
            static (HyperlightOptions options, bool value) =>
            {
                options.AllowEmulator = value;
                return options;
            }),
        Setting.OfSection(
            nameof(HyperlightOptions.Configuration), SandboxSettings.All, static (HyperlightOptions options) => options.Configuration,
            static (options, value) =>
            {
                options.Configuration = value;
                return options;
            }),
    ];
}
