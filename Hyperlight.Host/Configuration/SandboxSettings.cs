namespace Hyperlight.Host.Configuration;

/// <summary>The keys of <see cref="SandboxConfiguration"/>: each property has one.</summary>
internal static class SandboxSettings
{
    private const string BufferSize = "a size from 8 KiB to 1 GiB, such as '64 KiB'";

    public static IReadOnlyList<Setting<SandboxConfiguration>> All { get; } =
    [
        Setting.Of(
            nameof(SandboxConfiguration.InputBufferSize), BufferSize, SettingText.SmallSize,
            static (SandboxConfiguration c, int value) => c with { InputBufferSize = value }),
        Setting.Of(
            nameof(SandboxConfiguration.OutputBufferSize), BufferSize, SettingText.SmallSize,
            static (SandboxConfiguration c, int value) => c with { OutputBufferSize = value }),
        Setting.Of(
            nameof(SandboxConfiguration.HeapSize), "a size from 1 byte to 4076 MiB less 12 KiB, such as '1 MiB'", SettingText.Size,
            static (SandboxConfiguration c, ulong value) => c with { HeapSize = value }),
        Setting.Of(
            nameof(SandboxConfiguration.ScratchSize), "a multiple of 4 KiB up to 16 GiB less 4 KiB, such as '512 KiB'", SettingText.Size,
            static (SandboxConfiguration c, ulong value) => c with { ScratchSize = value }),
        Setting.OfList(
            nameof(SandboxConfiguration.AcceptedGuestVersions), "'Compatible', 'Any', or a list of versions such as '0.15.0'",
            static (SandboxConfiguration c, string[] values) => c with { AcceptedGuestVersions = SettingText.VersionPolicy(values) }),
        Setting.OfName(
            nameof(SandboxConfiguration.GuestLogLevel),
            static (SandboxConfiguration c, GuestLogLevel value) => c with { GuestLogLevel = value }),
        Setting.Of(
            nameof(SandboxConfiguration.GuestLogRate), "a number of records from 1 to 1000000, such as '1000'", SettingText.SmallCount,
            static (SandboxConfiguration c, int value) => c with { GuestLogRate = value }),
        Setting.OfFlag(
            nameof(SandboxConfiguration.FileMappingTable),
            static (SandboxConfiguration c, bool value) => c with { FileMappingTable = value }),
        Setting.OfFlag(
            nameof(SandboxConfiguration.ExecutableHeap),
            static (SandboxConfiguration c, bool value) => c with { ExecutableHeap = value }),
        Setting.OfFlag(
            nameof(SandboxConfiguration.GuestTimer),
            static (SandboxConfiguration c, bool value) => c with { GuestTimer = value }),
        Setting.Of(
            nameof(SandboxConfiguration.RandomSeed), "a whole number from 0 to 18446744073709551615", SettingText.Seed,
            static (SandboxConfiguration c, ulong value) => c with { RandomSeed = value }),
        Setting.OfList(
            nameof(SandboxConfiguration.GuestMsrs),
            "'Default' or 'None', which up to 16 registers may follow that a guest can be permitted, such as '0x277'",
            static (SandboxConfiguration c, string[] values) => c with { GuestMsrs = SettingText.Msrs(values) }),
        Setting.OfSection(
            nameof(SandboxConfiguration.Budget), BudgetSettings.All, static (SandboxConfiguration c) => c.Budget,
            static (c, value) => c with { Budget = value }),
    ];
}
