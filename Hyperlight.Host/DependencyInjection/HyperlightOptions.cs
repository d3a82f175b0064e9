using Hyperlight.Host.Hypervisors;

namespace Hyperlight;

/// <summary>
/// The options of <c>AddHyperlight</c>. They are checked when the application starts. To read them from configuration, pass
/// the section to <c>AddHyperlight</c>: it reports keys and values that are wrong, also after ahead-of-time compilation.
/// </summary>
public sealed class HyperlightOptions
{
    /// <summary>
    /// The name of the hypervisor driver to use, such as <c>kvm</c>. Default <see langword="null"/>: the first usable one. A
    /// driver chosen by name is never replaced by another. Set this or <see cref="Hypervisors"/>, not both.
    /// </summary>
    public string? Hypervisor { get; set; }

    /// <summary>
    /// The names of the allowed drivers, the preferred one first: the first usable one is chosen. Default: empty, all drivers
    /// are allowed, in the order in which they are registered.
    /// </summary>
    public IList<string> Hypervisors { get; } = [];

    /// <summary>
    /// Whether the emulator may be used where no hypervisor is usable. Default <see langword="true"/>; using it is then logged
    /// as a warning. With <see langword="false"/>, <see cref="HypervisorNotAvailableException"/> is thrown instead.
    /// </summary>
    public bool AllowEmulator { get; set; } = true;

    /// <summary>The configuration that builders of the factory start with.</summary>
    public SandboxConfiguration Configuration { get; set; } = new();

    /// <summary>
    /// The threads on which guests of the factory's builders run that are called asynchronously. Default: <see
    /// cref="GuestThreads.Default"/>, which the whole process shares.
    /// </summary>
    public GuestThreads GuestThreads { get; set; } = GuestThreads.Default;

    /// <summary>The names of the allowed drivers, from either property.</summary>
    internal IReadOnlyList<string> AllowedNames => Hypervisor is null ? [.. Hypervisors] : [Hypervisor];

    /// <summary>How messages name the options: the path of the configuration section they were read from, or this type.</summary>
    internal string Source { get; set; } = nameof(HyperlightOptions) + ".";

    /// <summary>Chooses the emulator, even if a hypervisor is usable.</summary>
    /// <returns>These options, for further calls.</returns>
    public HyperlightOptions UseEmulator()
    {
        UseDrivers([Drivers.Emulator]);
        return this;
    }

    /// <summary>Asks for the emulator, for runs that repeat: sandboxes that get the same calls do the same, byte for byte.</summary>
    /// <param name="seed">Any number. It is set in <see cref="Configuration"/>.</param>
    /// <returns>These options, for further calls.</returns>
    public HyperlightOptions UseEmulator(ulong seed)
    {
        Configuration = Configuration with { RandomSeed = seed };
        return UseEmulator();
    }

    /// <summary>Which options restrict the drivers, and how, for messages. Empty if none does.</summary>
    internal string DescribeDrivers() =>
        Hypervisor is not null ? $"{Source}{nameof(Hypervisor)} is '{Hypervisor}'. "
        : Hypervisors.Count > 0 ? $"{Source}{nameof(Hypervisors)} is [{string.Join(", ", Hypervisors)}]. "
        : AllowEmulator ? ""
        : $"{Source}{nameof(AllowEmulator)} is false. ";

    /// <summary>Sets the allowed drivers, and replaces names that were set before.</summary>
    internal void UseDrivers(IEnumerable<string> names)
    {
        Hypervisor = null;
        Hypervisors.Clear();
        foreach (string name in names)
        {
            Hypervisors.Add(name);
        }
    }
}
