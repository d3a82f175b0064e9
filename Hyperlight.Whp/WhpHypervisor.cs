using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>
/// The Windows Hypervisor Platform. This version has no driver for it yet: it can be probed, which says so, and on Windows it
/// prepares file mappings.
/// </summary>
public sealed class WhpHypervisor : IHypervisor
{
    private const string Reason = "The driver for the Windows Hypervisor Platform is not implemented in this version.";
    private const string Remedy = "Use Linux with KVM, for example in WSL 2 with nested virtualization. A later version will "
        + "need the Windows feature 'Windows Hypervisor Platform' (HypervisorPlatform).";

    private readonly IWindowsKernel _kernel;

    /// <summary>Creates the driver.</summary>
    public WhpHypervisor()
        : this(WindowsKernel.Instance)
    {
    }

    /// <summary>Creates the driver on a given Windows.</summary>
    internal WhpHypervisor(IWindowsKernel kernel) => _kernel = kernel;

    /// <inheritdoc/>
    public string Name => "whp";

    /// <inheritdoc/>
    public string ProcessorVendor => HostProcessor.Vendor;

    /// <inheritdoc/>
    public HypervisorStatus Probe() => _kernel.UnsupportedPlatform is { } reason
        ? new HypervisorStatus(HypervisorAvailability.UnsupportedPlatform, $"WHP needs Windows. {reason}")
        : new HypervisorStatus(HypervisorAvailability.NotImplemented, Reason, Remedy);

    /// <inheritdoc/>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => throw Unavailable();

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size) => throw Unavailable();

    /// <summary>
    /// Opens a file for mapping into a guest: a read-only section of exactly the file's size, which a surrogate process may
    /// map too, and a view of it. Windows prevents shortening the file while it is mapped.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Windows.</exception>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        _kernel.UnsupportedPlatform is not null
            ? throw Unavailable()
            : PreparedMapping.Prepare(path, guestAddress, label, file => FileSectionRegion.Open(_kernel, file));

    private HypervisorNotAvailableException Unavailable()
    {
        HypervisorStatus status = Probe();
        return new(status.ToString(), [new(Name, status)]);
    }
}
