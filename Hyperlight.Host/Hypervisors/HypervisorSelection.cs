using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>The hypervisor that was chosen for a sandbox, and why it can be used.</summary>
/// <param name="Hypervisor">The driver.</param>
/// <param name="Reason">What its probe found, and why those before it in order of preference were passed over.</param>
public sealed record HypervisorSelection(IHypervisor Hypervisor, string Reason)
{
    /// <summary>The driver's name, such as <c>kvm</c>.</summary>
    public string Name => Hypervisor.Name;

    /// <summary>Name and reason, as in <c>kvm (/dev/kvm, API version 12)</c>.</summary>
    public override string ToString() => $"{Name} ({Reason})";
}
