using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>
/// The Windows Hypervisor Platform. This version has no driver for it yet: it can be probed, which says so, and on Windows it
/// prepares file mappings.
/// </summary>
public sealed class WhpHypervisor : IHypervisor
{
    private const string Reason = "The driver for the Windows Hypervisor Platform is not implemented in this version.";

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
    public HypervisorStatus Probe() => new(HypervisorAvailability.NotImplemented, Reason);

    /// <inheritdoc/>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options) => throw Unavailable(Reason);

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size) => throw Unavailable(Reason);

    /// <summary>
    /// Opens a file for mapping into a guest: a read-only section of exactly the file's size, which a surrogate process may
    /// map too, and a view of it. Windows does not let anyone shorten the file meanwhile.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Windows.</exception>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        _kernel.UnsupportedPlatform is { } reason
            ? throw Unavailable(reason)
            : PreparedMapping.Prepare(path, guestAddress, label, file => FileSectionRegion.Open(_kernel, file));

    private HypervisorNotAvailableException Unavailable(string reason) => new(reason, [new(Name, Probe())]);
}
