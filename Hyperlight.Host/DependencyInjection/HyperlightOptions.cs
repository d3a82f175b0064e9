using Hyperlight.Host.Hypervisors;

namespace Hyperlight;

/// <summary>What <c>AddHyperlight</c> can be told.</summary>
public sealed class HyperlightOptions
{
    /// <summary>
    /// The name of the hypervisor driver to use, such as <c>kvm</c>. Default <see langword="null"/>: the first usable one. A
    /// driver asked for by name is never replaced by another.
    /// </summary>
    public string? Hypervisor { get; set; }

    /// <summary>Asks for the emulator, even if there is a hypervisor.</summary>
    /// <returns>These options, for further calls.</returns>
    public HyperlightOptions UseEmulator()
    {
        Hypervisor = Drivers.Emulator;
        return this;
    }

    /// <summary>The configuration that builders of the factory start with.</summary>
    public SandboxConfiguration Configuration { get; set; } = new();
}
