using Hyperlight.Abstractions;
using Hyperlight.Host.Execution;

namespace Hyperlight;

/// <summary>
/// A guest accessed guest physical memory that does not exist, or in a way that is not permitted. The sandbox is poisoned.
/// If a mapped file was shortened or cannot be read, the inner exception has the reason.
/// </summary>
public sealed class MemoryAccessViolationException : HyperlightException
{
    /// <summary>Creates the error for an address that is in no mapping.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="attempted">What the guest attempted.</param>
    public MemoryAccessViolationException(ulong address, MemoryFlags attempted)
        : base(address == 0 && attempted == MemoryFlags.None
            ? "The guest accessed memory that the host does not have; the hypervisor does not say where."
            : $"The guest attempted to {Describe(attempted)} guest physical address 0x{address:X}, which is not mapped for that.")
    {
        Address = address;
        Attempted = attempted;
    }

    /// <summary>Creates the error for an address in a mapping.</summary>
    /// <param name="address">Guest physical address; 0 if the hypervisor does not say.</param>
    /// <param name="attempted">What the guest attempted.</param>
    /// <param name="label">The mapping's label.</param>
    /// <param name="permitted">What the mapping permits.</param>
    /// <param name="innerException">Why the file behind the mapping cannot be read, if it cannot.</param>
    public MemoryAccessViolationException(
        ulong address, MemoryFlags attempted, string label, MemoryFlags permitted, FileMappingException? innerException = null)
        : base(Compose(address, attempted, label, permitted, innerException), innerException)
    {
        Address = address;
        Attempted = attempted;
        Label = label;
        Permitted = permitted;
    }

    /// <summary>What went wrong, and at which instruction of the guest, if that is known.</summary>
    public override string Message => FaultLocator.Append(base.Message, Location);

    /// <summary>Where in its ELF file the guest was, such as <c>0x1174 in main+0x12</c>, if that is known.</summary>
    internal string? Location { get; init; }

    /// <summary>Guest physical address; 0 if the hypervisor does not say.</summary>
    public ulong Address { get; }

    /// <summary>What the guest attempted; <see cref="MemoryFlags.None"/> if the hypervisor does not say.</summary>
    public MemoryFlags Attempted { get; }

    /// <summary>The label of the mapping that the address lies in; <see langword="null"/> if it lies in none.</summary>
    public string? Label { get; }

    /// <summary>What that mapping permits; <see cref="MemoryFlags.None"/> without a mapping.</summary>
    public MemoryFlags Permitted { get; }

    private static string Compose(
        ulong address, MemoryFlags attempted, string label, MemoryFlags permitted, FileMappingException? cause)
    {
        string where = address == 0 ? "an address" : $"guest physical address 0x{address:X}";
        string why = cause is null ? $"which permits: {permitted}." : $"whose file cannot be read: {cause.Message}";
        return $"The guest attempted to {Describe(attempted)} {where} in the mapping '{label}', {why}";
    }

    private static string Describe(MemoryFlags attempted) => attempted switch
    {
        MemoryFlags.Read => "read",
        MemoryFlags.Write => "write",
        MemoryFlags.Execute => "execute",
        _ => "access",
    };
}
