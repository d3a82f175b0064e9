using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator;

/// <summary>
/// A managed x86-64 machine: runs guests where no hypervisor is, by executing their instructions itself. The guest is in
/// 64-bit mode at any privilege level, with x87, MMX and the vector instructions up to SSE4.2.
/// </summary>
/// <remarks>
/// Not there: compatibility mode (a transfer to 32-bit code ends the run with <see cref="VmExitReason.EmulationFailure"/>),
/// alignment checks (#AC), breakpoints on I/O ports, interrupts from outside.
/// </remarks>
public sealed class EmulatorHypervisor : IHypervisor
{
    internal const string DriverName = "emulator";

    /// <summary>The widths of physical addresses that x86-64 knows.</summary>
    private const byte FewestAddressBits = 32;
    private const byte MostAddressBits = 52;

    private readonly EmulatorOptions _options;
    private readonly CodeCache _code = new();
    private readonly FilePageStore _files = new();

    /// <summary>Creates the driver.</summary>
    /// <param name="options">How its machines work; <see langword="null"/> for the defaults.</param>
    public EmulatorHypervisor(EmulatorOptions? options = null) => _options = options ?? new EmulatorOptions();

    /// <summary>The pages of files that its machines use.</summary>
    internal FilePageStore FilePages => _files;

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <inheritdoc/>
    public string ProcessorVendor => Cpuid.Vendor;

    /// <inheritdoc/>
    public bool CountsInstructions => true;

    /// <summary>Always usable.</summary>
    public HypervisorStatus Probe() => HypervisorStatus.Usable("managed interpreter, no hypervisor needed: slow");

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The width of physical addresses is not 32 to 52 bits.</exception>
    /// <exception cref="GuestMsrException">The processor does not have a register that the policy adds.</exception>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PhysicalAddressBits, FewestAddressBits, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PhysicalAddressBits, MostAddressBits, nameof(options));
        return new EmulatorVirtualMachine(in options, _options, _code, _files);
    }

    /// <inheritdoc/>
    public IMemoryRegion AllocateMemory(nuint size)
    {
        try
        {
            return new NativeRegion(size);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HypervisorException(
                DriverName, "AllocateMemory", 0, $"there are no {size} bytes of memory", innerException: exception);
        }
    }

    /// <summary>
    /// Opens a file for mapping into a guest. A page of it is read when the guest uses it first, and kept: whatever the page
    /// holds at that moment is what the guest sees from then on. A page of a file is kept once for all machines.
    /// </summary>
    /// <inheritdoc/>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        PreparedMapping.Prepare(path, guestAddress, label, FileRegion.Open);
}
