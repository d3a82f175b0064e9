namespace Hyperlight;

/// <summary>What <c>AddHyperlight</c> can be told.</summary>
public sealed class HyperlightOptions
{
    /// <summary>
    /// The name of the hypervisor driver to use, such as <c>kvm</c>. Default <see langword="null"/>: the first usable one. A
    /// driver asked for by name is never replaced by another.
    /// </summary>
    public string? Hypervisor { get; set; }

    /// <summary>The configuration that builders of the factory start with.</summary>
    public SandboxConfiguration Configuration { get; set; } = new();
}
