using Hyperlight.Abstractions;

namespace Hyperlight.Mshv;

/// <summary>
/// The Microsoft Hypervisor of Linux root partitions, <c>/dev/mshv</c>. This version has no driver for it yet: it can be
/// probed, which says so, and nothing else.
/// </summary>
public sealed class MshvHypervisor : IHypervisor
{
    private const string Reason = "The driver for /dev/mshv is not implemented in this version.";

    /// <inheritdoc/>
    public string Name => "mshv";

    /// <inheritdoc/>
    public HypervisorStatus Probe() => new(HypervisorAvailability.NotImplemented, Reason);

    /// <inheritdoc/>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => throw Unavailable();

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size) => throw Unavailable();

    /// <inheritdoc/>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) => throw Unavailable();

    private HypervisorNotAvailableException Unavailable() => new(Reason, [new(Name, Probe())]);
}
