using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>The hypervisor that was chosen for a sandbox, and why.</summary>
/// <param name="Hypervisor">The driver.</param>
/// <param name="Reason">
/// The reason: the result of the driver's probe, how guests could run faster, and why preferred drivers cannot be used.
/// </param>
public sealed record HypervisorSelection(IHypervisor Hypervisor, string Reason)
{
    /// <summary>The driver's name, such as <c>kvm</c>.</summary>
    public string Name => Hypervisor.Name;

    /// <summary>
    /// What to do in order to use a hypervisor, if the emulator was chosen because no hypervisor is usable; otherwise
    /// <see langword="null"/>. Such a choice is logged as a warning.
    /// </summary>
    public string? Remedy { get; init; }

    /// <summary>Name and reason, as in <c>kvm (/dev/kvm, API version 12)</c>.</summary>
    public override string ToString() => $"{Name} ({Reason})";
}
