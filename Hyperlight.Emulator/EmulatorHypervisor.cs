using Hyperlight.Abstractions;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator;

/// <summary>
/// A managed x86-64 machine: runs guests where no hypervisor is, by interpreting their instructions. The guest executes
/// in 64-bit mode at CPL 0 with the general registers; instructions of the SSE and x87 sets end a run with
/// <see cref="VmExitReason.EmulationFailure"/>.
/// </summary>
public sealed class EmulatorHypervisor : IHypervisor
{
    internal const string DriverName = "emulator";

    /// <summary>The widths of physical addresses that x86-64 knows.</summary>
    private const byte FewestAddressBits = 32;
    private const byte MostAddressBits = 52;

    /// <inheritdoc/>
    public string Name => DriverName;

    /// <summary>Always usable.</summary>
    public HypervisorStatus Probe() => HypervisorStatus.Usable("managed interpreter, no hypervisor needed: slow");

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">The width of physical addresses is not 32 to 52 bits.</exception>
    public IVirtualMachine CreateVirtualMachine(in VirtualMachineOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PhysicalAddressBits, FewestAddressBits, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.PhysicalAddressBits, MostAddressBits, nameof(options));
        return new EmulatorVirtualMachine(options.PhysicalAddressBits);
    }

    /// <summary>Allocates zero-filled managed memory, at most 2 GiB less a few bytes.</summary>
    /// <param name="size">Bytes, a positive multiple of <see cref="GuestPage.Size"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is zero or not a multiple of a page.</exception>
    /// <exception cref="HypervisorException">The memory is larger than a managed array, or there is not enough of it.</exception>
    public IMemoryRegion AllocateMemory(nuint size)
    {
        if (GuestPage.IsAligned(size) && size > (nuint)(Array.MaxLength - GuestPage.Size))
        {
            throw new HypervisorException(
                DriverName, "AllocateMemory", 0, $"{size} bytes do not fit a managed array", "Use regions below 2 GiB.");
        }

        try
        {
            return new ManagedMemoryRegion(size);
        }
        catch (OutOfMemoryException exception)
        {
            throw new HypervisorException(
                DriverName, "AllocateMemory", 0, $"there are no {size} bytes of memory", innerException: exception);
        }
    }

    /// <summary>
    /// Reads a file for mapping into a guest. The guest sees the content the file has now: it is copied into managed
    /// memory, so a file of 2 GiB or more is refused.
    /// </summary>
    /// <inheritdoc/>
    public IPreparedMapping PrepareFileMapping(string path, ulong guestAddress, string? label = null) =>
        PreparedFile.Read(path, guestAddress, label);
}
