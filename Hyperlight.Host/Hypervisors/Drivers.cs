using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Kvm;
using Hyperlight.Mshv;
using Hyperlight.Whp;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Host.Hypervisors;

/// <summary>
/// The drivers of this operating system, the preferred one first. The only place of this assembly that knows a driver by
/// its type; everything else sees <see cref="IHypervisor"/>.
/// </summary>
internal static class Drivers
{
    /// <summary>The name of the driver that is usable everywhere.</summary>
    public const string Emulator = "emulator";

    private static readonly Func<IHypervisor>[] Factories =
        OperatingSystem.IsLinux() ? [static () => new MshvHypervisor(), static () => new KvmHypervisor(), static () => new EmulatorHypervisor()]
        : OperatingSystem.IsWindows() ? [static () => new WhpHypervisor(), static () => new EmulatorHypervisor()]
        : [static () => new EmulatorHypervisor()];

    /// <summary>New instances of the drivers.</summary>
    public static IEnumerable<IHypervisor> Create() => Factories.Select(create => create());

    /// <summary>Registers the drivers; the container that creates them disposes them.</summary>
    public static void Register(IServiceCollection services)
    {
        foreach (Func<IHypervisor> create in Factories)
        {
            services.AddSingleton(_ => create());
        }
    }
}
