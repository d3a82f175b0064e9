using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;

namespace Hyperlight.Tests.Soak;

/// <summary>The drivers that the soak can use, by the names of its command line.</summary>
internal static class SoakDrivers
{
    public static IReadOnlyList<string> Names { get; } = ["kvm", "emulator", "interpreter", "translator", "machine code"];

    /// <summary>A driver.</summary>
    /// <exception cref="ArgumentException">This operating system has no such driver.</exception>
    /// <exception cref="HypervisorNotAvailableException">It cannot run a guest here.</exception>
    public static IHypervisor Open(string name) => name switch
    {
        "interpreter" => new EmulatorHypervisor(new EmulatorOptions { TranslateHotCode = false }),

        // Translates almost everything, so that short runs execute compiled code too.
        "translator" => new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Intermediate }),
        "machine code" => new EmulatorHypervisor(new EmulatorOptions { HotThreshold = 2, Tier = CodeTier.Machine }),
        _ => HypervisorSelector.Default.Select(name).Hypervisor,
    };
}
