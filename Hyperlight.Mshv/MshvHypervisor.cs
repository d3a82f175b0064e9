using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// The Microsoft Hypervisor of Linux root partitions, <c>/dev/mshv</c>. This version has no driver for it yet: it can be
/// probed, which says so, and on Linux it prepares file mappings.
/// </summary>
public sealed class MshvHypervisor : IHypervisor
{
    private const string DriverName = "mshv";
    private const string Reason = "The driver for /dev/mshv is not implemented in this version.";

    private readonly ILinuxKernel _kernel;

    /// <summary>Creates the driver.</summary>
    public MshvHypervisor()
        : this(LinuxKernel.Instance)
    {
    }

    /// <summary>Creates the driver on a given kernel.</summary>
    internal MshvHypervisor(ILinuxKernel kernel) => _kernel = kernel;

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public string ProcessorVendor => HostProcessor.Vendor;

    /// <inheritdoc/>
    public HypervisorStatus Probe() => _kernel.UnsupportedPlatform is { } reason
        ? new HypervisorStatus(HypervisorAvailability.UnsupportedPlatform, $"MSHV needs Linux on x64. {reason}")
        : new HypervisorStatus(HypervisorAvailability.NotImplemented, Reason);

    /// <inheritdoc/>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => throw Unavailable();

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size) => throw Unavailable();

    /// <summary>
    /// Opens a file for mapping into a guest. This hypervisor pins pages for writing, whatever the guest may do, so the private
    /// view of the file is writable; nothing is ever written to the file.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Linux on x86-64.</exception>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        _kernel.UnsupportedPlatform is not null
            ? throw Unavailable()
            : LinuxFileMapping.Prepare(_kernel, DriverName, path, guestAddress, label, LibC.PROT_READ | LibC.PROT_WRITE);

    private HypervisorNotAvailableException Unavailable()
    {
        HypervisorStatus status = Probe();
        return new(status.ToString(), [new(Name, status)]);
    }
}
