using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// The Microsoft hypervisor of Linux root partitions, <c>/dev/mshv</c>, on x86-64. Disposing it leaves the machines that it
/// created alone.
/// </summary>
/// <remarks>
/// It was tested against a simulation of the kernel's interface, and not yet on a machine that has it. The hypervisor cannot
/// deny model-specific registers to a guest: all that a guest can change are put back.
/// </remarks>
public sealed class MshvHypervisor : IHypervisor, IDisposable
{
    /// <summary>The driver's name in errors.</summary>
    internal const string DriverName = "mshv";

    /// <summary>The widths of physical addresses that x86-64 knows.</summary>
    private const byte FewestAddressBits = 32;
    private const byte MostAddressBits = 52;

    private readonly ILinuxKernel _kernel;
    private readonly KickSignal _kick;
    private readonly Lock _opening = new();
    private HypervisorStatus? _status;
    private MshvSystem? _system;
    private bool _disposed;

    /// <summary>Creates the driver. The device is opened when it is needed first.</summary>
    public MshvHypervisor()
        : this(new MshvOptions())
    {
    }

    /// <summary>Creates the driver. The device is opened when it is needed first.</summary>
    /// <param name="options">How it works.</param>
    public MshvHypervisor(MshvOptions options)
        : this(LinuxKernel.Instance, options)
    {
    }

    /// <summary>Creates the driver on a given kernel.</summary>
    internal MshvHypervisor(ILinuxKernel kernel, MshvOptions? options = null)
    {
        _kernel = kernel;
        _kick = new KickSignal((options ?? new MshvOptions()).CancellationSignal);
    }

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public string ProcessorVendor => HostProcessor.Vendor;

    /// <inheritdoc/>
    public bool InjectsInterrupts => true;

    /// <inheritdoc/>
    /// <remarks>The first time, it creates a partition.</remarks>
    public HypervisorStatus Probe() => Open(out _);

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The width of physical addresses is not 32 to 52 bits.</exception>
    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds.</exception>
    /// <exception cref="HypervisorNotAvailableException">MSHV cannot be used on this machine.</exception>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PhysicalAddressBits, FewestAddressBits, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PhysicalAddressBits, MostAddressBits, nameof(options));
        HypervisorStatus status = Open(out MshvSystem? system);
        return system is null ? throw Unavailable(status) : MshvVirtualMachine.Create(system, _kick, in options);
    }

    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Linux on x86-64.</exception>
    public IMemoryRegion AllocateMemory(nuint size) => _kernel.UnsupportedPlatform is not null
        ? throw Unavailable(Probe())
        : LinuxMemoryRegion.AllocatePinnable(_kernel, DriverName, size);

    /// <summary>
    /// Opens a file for mapping into a guest. This hypervisor pins pages for writing, whatever the guest may do, so the private
    /// view of the file is writable; nothing is ever written to the file.
    /// </summary>
    /// <inheritdoc/>
    /// <exception cref="HypervisorNotAvailableException">This is not Linux on x86-64.</exception>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        _kernel.UnsupportedPlatform is not null
            ? throw Unavailable(Probe())
            : LinuxFileMapping.Prepare(_kernel, DriverName, path, guestAddress, label, LibC.PROT_READ | LibC.PROT_WRITE);

    /// <summary>Closes the device, once no machine needs it any more.</summary>
    /// <exception cref="HypervisorException">The kernel reports an error; the device is closed nevertheless.</exception>
    public void Dispose()
    {
        MshvSystem? system;
        lock (_opening)
        {
            _disposed = true;
            system = _system;
            _system = null;
        }

        system?.Dispose();
    }

    /// <summary>Opens the device once. A failure is not kept: the user may have removed its cause.</summary>
    private HypervisorStatus Open(out MshvSystem? system)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_system is null)
            {
                _status = MshvProbe.Open(_kernel, out _system);
                if (_system is not null && _kernel.CatchSignal(_kick.Number) is < 0 and var result)
                {
                    _system.Dispose();
                    _system = null;
                    _status = new HypervisorStatus(
                        HypervisorAvailability.Failed, MshvError.Create(result, "sigaction").Message);
                }
            }

            system = _system;
            return _status!;
        }
    }

    private static HypervisorNotAvailableException Unavailable(HypervisorStatus status) =>
        new(status.ToString(), [new(DriverName, status)]);
}
