using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Linux.Interop;

namespace Hyperlight.Kvm;

/// <summary>
/// The driver for KVM, the hypervisor of the Linux kernel, on x86-64. Disposing it does not affect the machines that it
/// created.
/// </summary>
public sealed class KvmHypervisor : IHypervisor, IDisposable
{
    /// <summary>The driver's name in errors.</summary>
    internal const string DriverName = "kvm";

    /// <summary>The widths of physical addresses that x86-64 knows.</summary>
    private const byte FewestAddressBits = 32;
    private const byte MostAddressBits = 52;

    private readonly ILinuxKernel _kernel;
    private readonly KickSignal _kick;
    private readonly Lock _opening = new();
    private HypervisorStatus? _status;
    private KvmSystem? _system;
    private bool _disposed;

    /// <summary>Creates the driver. The device is opened at its first use.</summary>
    public KvmHypervisor()
        : this(new KvmOptions())
    {
    }

    /// <summary>Creates the driver. The device is opened at its first use.</summary>
    /// <param name="options">How it works.</param>
    public KvmHypervisor(KvmOptions options)
        : this(LinuxKernel.Instance, options)
    {
    }

    /// <summary>Creates the driver on a given kernel.</summary>
    internal KvmHypervisor(ILinuxKernel kernel, KvmOptions? options = null)
    {
        _kernel = kernel;
        _kick = new KickSignal((options ?? new KvmOptions()).CancellationSignal);
    }

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public string ProcessorVendor => HostProcessor.Vendor;

    /// <inheritdoc/>
    /// <remarks>What KVM shows; empty if it cannot be used.</remarks>
    public string GuestProcessor
    {
        get
        {
            Open(out KvmSystem? system);
            return system?.Facts.Cpuid.Features() ?? string.Empty;
        }
    }

    /// <inheritdoc/>
    public bool InjectsInterrupts => true;

    /// <summary>
    /// Instructions that this KVM cannot execute at CPL 0, because it emulates guest code there; empty on a processor with
    /// virtualization, or if KVM cannot be used.
    /// </summary>
    internal IReadOnlyList<string> UnsupportedPrivilegedInstructions
    {
        get
        {
            lock (_opening)
            {
                Open(out KvmSystem? system);
                return system is null ? [] : (system.Behaviour ??= KvmBehaviour.FindOut(system, _kick)).UnsupportedPrivileged;
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>The first call runs some instructions in a virtual machine.</remarks>
    public HypervisorStatus Probe()
    {
        HypervisorStatus status = Open(out _);
        if (!status.IsUsable)
        {
            return status;
        }

        try
        {
            IReadOnlyList<string> unsupported = UnsupportedPrivilegedInstructions;
            return unsupported.Count == 0
                ? status
                : HypervisorStatus.Usable(
                    $"{status.Reason}; it has no hardware virtualization and emulates privileged guest code, without "
                    + string.Join(", ", unsupported),
                    (status.Remedy is null ? string.Empty : status.Remedy + " ")
                    + "The emulator runs guests up to eight times faster than such a KVM: ask for it by the name 'emulator'.");
        }
        catch (HypervisorException exception)
        {
            Close();
            return new HypervisorStatus(HypervisorAvailability.Failed, exception.Message);
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The width of physical addresses is not 32 to 52 bits.</exception>
    /// <exception cref="GuestMsrException">KVM does not have a register that the policy adds.</exception>
    /// <exception cref="HypervisorNotAvailableException">KVM cannot be used on this machine.</exception>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PhysicalAddressBits, FewestAddressBits, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PhysicalAddressBits, MostAddressBits, nameof(options));
        HypervisorStatus status = Open(out KvmSystem? system);

        // Of a KVM that was not tried the worse is assumed, which is right for both kinds.
        return system is null
            ? throw new HypervisorNotAvailableException(status.ToString(), [new(DriverName, status)])
            : KvmVirtualMachine.Create(system, _kick, in options, system.Behaviour?.KeepsPageTables ?? true);
    }

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size) => LinuxMemoryRegion.Allocate(_kernel, DriverName, size);

    /// <inheritdoc/>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        LinuxFileMapping.Prepare(_kernel, DriverName, path, guestAddress, label, LibC.PROT_READ);

    /// <summary>Closes the device when no machine needs it any more.</summary>
    /// <exception cref="HypervisorException">The kernel reports an error; the device is closed nevertheless.</exception>
    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
        }

        Close();
    }

    private void Close()
    {
        KvmSystem? system;
        lock (_opening)
        {
            system = _system;
            _system = null;
        }

        system?.Dispose();
    }

    /// <summary>Opens the device once. A failure is not kept: the user may have removed its cause.</summary>
    private HypervisorStatus Open(out KvmSystem? system)
    {
        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_system is null)
            {
                _status = KvmProbe.Open(_kernel, out _system);
            }

            system = _system;
            return _status!;
        }
    }
}
