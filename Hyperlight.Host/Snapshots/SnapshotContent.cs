using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots;

/// <summary>What a snapshot is; shared by every <see cref="Snapshot"/> that stands for it. Immutable.</summary>
/// <param name="Image">The guest's memory. Its references say whether it still exists.</param>
/// <param name="Processor">The vCPU.</param>
/// <param name="HostFunctions">What the guest may call, by name.</param>
/// <param name="Hypervisor">The kind of hypervisor.</param>
/// <param name="ProcessorVendor">Whose processor the guest saw.</param>
/// <param name="Guest">The guest program, if it is known.</param>
/// <param name="Source">What the guest is called in logs and errors.</param>
internal sealed record SnapshotContent(
    GuestImage Image,
    ProcessorState Processor,
    IReadOnlyList<HostFunctionSignature> HostFunctions,
    string Hypervisor,
    string ProcessorVendor,
    GuestBinary? Guest,
    string Source)
{
    /// <summary>The files that the memory refers to.</summary>
    public IReadOnlyList<RetainedMapping> Mappings { get; init; } = [];
}
