using Hyperlight.Abstractions;

namespace Hyperlight.Whp;

/// <summary>
/// The Windows Hypervisor Platform, on x64. Disposing it ends the processes that host the memory of guests, once no machine
/// needs them any more.
/// </summary>
/// <remarks>
/// It was tested against a simulation of the platform, and on Wine with a platform that uses KVM; not yet on a machine that has it. The platform cannot deny
/// model-specific registers to a guest: all that a guest can change are put back.
/// </remarks>
public sealed class WhpHypervisor : IHypervisor, IDisposable
{
    /// <summary>The driver's name in errors.</summary>
    internal const string DriverName = "whp";

    /// <summary>The widths of physical addresses that x86-64 knows.</summary>
    private const byte FewestAddressBits = 32;
    private const byte MostAddressBits = 52;

    private readonly IWinHv _winHv;
    private readonly IWindowsKernel _kernel;
    private readonly SurrogatePool? _surrogates;
    private readonly Lock _opening = new();
    private HypervisorStatus? _status;
    private WhpSystem? _system;
    private bool _disposed;

    /// <summary>Creates the driver. The platform is loaded when it is needed first.</summary>
    public WhpHypervisor()
        : this(new WhpOptions())
    {
    }

    /// <summary>Creates the driver. The platform is loaded when it is needed first.</summary>
    /// <param name="options">How it works.</param>
    public WhpHypervisor(WhpOptions options)
        : this(WinHv.Instance, WindowsKernel.Instance, options, SurrogateExecutable.DefaultDirectory)
    {
    }

    /// <summary>Creates the driver on a given Windows.</summary>
    /// <param name="winHv">The platform.</param>
    /// <param name="kernel">Windows.</param>
    /// <param name="options">How it works.</param>
    /// <param name="directory">Where the program of the surrogate processes is, or is written to.</param>
    internal WhpHypervisor(IWinHv winHv, IWindowsKernel kernel, WhpOptions options, string directory)
    {
        ArgumentNullException.ThrowIfNull(options);
        _winHv = winHv;
        _kernel = kernel;
        _surrogates = options.MaxSurrogates > 0 ? new SurrogatePool(kernel, directory, options) : null;
    }

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public string ProcessorVendor => HostProcessor.Vendor;

    /// <inheritdoc/>
    public bool InjectsInterrupts => true;

    /// <summary>How many surrogate processes there are.</summary>
    internal int Surrogates => _surrogates?.Count ?? 0;

    /// <summary>How often a processor has left its guest for a cancellation that an earlier exit had overtaken.</summary>
    internal long StaleCancellations => _system?.StaleCancellations ?? 0;

    /// <inheritdoc/>
    /// <remarks>The first time, it creates a partition.</remarks>
    public HypervisorStatus Probe() => Open(out _);

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The width of physical addresses is not 32 to 52 bits.</exception>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds.</exception>
    /// <exception cref="HypervisorNotAvailableException">WHP cannot be used on this machine.</exception>
    /// <exception cref="HypervisorException">
    /// A call failed, all surrogates are in use, or there are no surrogates and the process has a virtual machine; all
    /// resources are released.
    /// </exception>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PhysicalAddressBits, FewestAddressBits, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PhysicalAddressBits, MostAddressBits, nameof(options));
        HypervisorStatus status = Open(out WhpSystem? system);
        return system is null ? throw Unavailable(status) : WhpVirtualMachine.Create(system, in options);
    }

    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Windows on x64.</exception>
    public IMemoryRegion AllocateMemory(nuint size) => _kernel.UnsupportedPlatform is not null
        ? throw Unavailable(Probe())
        : SectionMemoryRegion.Allocate(_kernel, size);

    /// <summary>
    /// Opens a file for mapping into a guest: a read-only section of exactly the file's size, which a surrogate process may
    /// map too, and a view of it. Windows prevents shortening the file while it is mapped.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Windows on x64.</exception>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        _kernel.UnsupportedPlatform is not null
            ? throw Unavailable(Probe())
            : PreparedMapping.Prepare(path, guestAddress, label, file => FileSectionRegion.Open(_kernel, file));

    /// <summary>Ends the surrogate processes that are not in use; the others end with the machines that use them.</summary>
    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            _system = null;
        }

        _surrogates?.Dispose();
    }

    /// <summary>Loads the platform once. A failure is not kept: the user may have removed its cause.</summary>
    private HypervisorStatus Open(out WhpSystem? system)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_system is null)
            {
                _status = WhpProbe.Open(_winHv, _kernel, _surrogates, out _system);
            }

            system = _system;
            return _status!;
        }
    }

    private static HypervisorNotAvailableException Unavailable(HypervisorStatus status) =>
        new(status.ToString(), [new(DriverName, status)]);
}
