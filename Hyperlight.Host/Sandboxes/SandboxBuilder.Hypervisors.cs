using Hyperlight.Abstractions;
using Hyperlight.Host.Hypervisors;

namespace Hyperlight;

/// <content>The hypervisor that sandboxes run on. The last of these calls counts.</content>
public sealed partial class SandboxBuilder
{
    private readonly HypervisorSelector _drivers;
    private Func<HypervisorSelection> _selectHypervisor;

    /// <summary>Uses one hypervisor and no other. It is probed until it can be used.</summary>
    /// <param name="hypervisor">The driver.</param>
    public SandboxBuilder WithHypervisor(IHypervisor hypervisor)
    {
        ArgumentNullException.ThrowIfNull(hypervisor);
        HypervisorSelection? usable = null;
        return WithHypervisor(() => usable ??= HypervisorSelector.SelectOnly(hypervisor));
    }

    /// <summary>
    /// Uses the hypervisor of a name and no other. A builder of an <see cref="ISandboxFactory"/> finds it among the drivers of
    /// the application's services.
    /// </summary>
    /// <param name="name">The driver's name, such as <c>kvm</c>; case does not matter.</param>
    public SandboxBuilder WithHypervisor(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return WithHypervisor(() => _drivers.Select(name));
    }

    /// <summary>Uses the first usable hypervisor of a list of names, and no other.</summary>
    /// <param name="names">The names of the allowed drivers, the preferred one first; at least one. Case does not matter.</param>
    /// <exception cref="ArgumentException">There is no name, or one is empty.</exception>
    public SandboxBuilder WithHypervisors(params string[] names)
    {
        string[] copy = DriverNames.Copy(names);
        return WithHypervisor(() => _drivers.Select(copy));
    }

    /// <summary>
    /// Uses the first usable hypervisor, but not the emulator: if no hypervisor is usable, building a sandbox throws <see
    /// cref="HypervisorNotAvailableException"/>.
    /// </summary>
    public SandboxBuilder WithoutEmulator() => WithHypervisor(() => _drivers.Select(names: [], allowEmulator: false));

    /// <summary>
    /// Uses the emulator, even if a hypervisor is usable. The emulator counts instructions.
    /// </summary>
    public SandboxBuilder UseEmulator() => WithHypervisor(Drivers.Emulator);

    /// <summary>Uses the emulator, for runs that repeat: sandboxes of one seed that get the same calls do the same, byte for byte.</summary>
    /// <param name="seed">
    /// Any number. It replaces <see cref="SandboxConfiguration.RandomSeed"/> until another hypervisor is chosen. The random
    /// numbers that the guest draws can be predicted from it.
    /// </param>
    public SandboxBuilder UseEmulator(ulong seed) => WithHypervisor(() => _drivers.Select(Drivers.Emulator), seed);

    internal SandboxBuilder WithHypervisor(Func<HypervisorSelection> select, ulong? seed = null)
    {
        _selectHypervisor = select;
        _seed = seed;
        return this;
    }
}
