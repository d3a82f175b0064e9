using Hyperlight.Abstractions;

namespace Hyperlight;

/// <summary>A guest used guest physical memory that is not there, or in a way that is not allowed. The sandbox is poisoned.</summary>
public sealed class MemoryAccessViolationException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="address">Guest physical address.</param>
    /// <param name="attempted">What the guest attempted.</param>
    public MemoryAccessViolationException(ulong address, MemoryFlags attempted)
        : base($"The guest attempted to {Describe(attempted)} guest physical address 0x{address:X}, which is not mapped for that.")
    {
        Address = address;
        Attempted = attempted;
    }

    /// <summary>Guest physical address.</summary>
    public ulong Address { get; }

    /// <summary>What the guest attempted; <see cref="MemoryFlags.None"/> if the hypervisor does not say.</summary>
    public MemoryFlags Attempted { get; }

    private static string Describe(MemoryFlags attempted) => attempted switch
    {
        MemoryFlags.Read => "read",
        MemoryFlags.Write => "write",
        MemoryFlags.Execute => "execute",
        _ => "access",
    };
}
