using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Kvm;
using Hyperlight.Mshv;
using Hyperlight.Whp;

namespace Hyperlight.Host.Hypervisors;

/// <summary>
/// The built-in drivers. The only place of this assembly that knows a driver by its type; everything else sees
/// <see cref="IHypervisor"/>.
/// </summary>
internal static class Drivers
{
    /// <summary>The name of the driver that is usable everywhere.</summary>
    public const string Emulator = "emulator";

    private static readonly Func<IHypervisor>[] Linux = [static () => new MshvHypervisor(), static () => new KvmHypervisor()];
    private static readonly Func<IHypervisor>[] Windows = [static () => new WhpHypervisor()];

    /// <summary>Creates each driver of this operating system, in order of preference.</summary>
    public static IReadOnlyList<Func<IHypervisor>> Factories { get; } =
    [
        .. OperatingSystem.IsLinux() ? Linux : OperatingSystem.IsWindows() ? Windows : [],
        static () => new EmulatorHypervisor(),
    ];

    /// <summary>New instances of the drivers of this operating system.</summary>
    public static IEnumerable<IHypervisor> Create() => Factories.Select(create => create());

    /// <summary>The driver of a name that is for another operating system, or <see langword="null"/>.</summary>
    public static IHypervisor? FindElsewhere(string name) => Linux.Concat(Windows)
        .Except(Factories)
        .Select(create => create())
        .FirstOrDefault(driver => IsNamed(driver, name));

    /// <summary>Whether a driver has a name. Case does not matter.</summary>
    public static bool IsNamed(IHypervisor driver, string name) => string.Equals(driver.Name, name, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a driver is an emulator: it is used where nothing else is usable, and that is reported.</summary>
    public static bool IsEmulator(IHypervisor driver) => IsNamed(driver, Emulator);
}
