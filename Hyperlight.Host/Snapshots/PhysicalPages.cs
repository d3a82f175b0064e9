using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// The pages of a guest's physical memory, by address: scratch memory, its image, and what else is mapped. Addresses come
/// from the guest and may be anything.
/// </summary>
internal sealed class PhysicalPages(GuestMemory memory, IReadOnlyList<GuestMapping> mappings)
{
    /// <summary>How many pages there are.</summary>
    public ulong Count { get; } =
        (memory.ScratchMapping.Size + memory.ImageMapping.Size + mappings.Aggregate(0UL, (sum, m) => sum + m.Size)) / GuestPage.Size;

    /// <summary>Whether a whole page is at an address.</summary>
    public bool Contains(ulong address) => TryFind(address, out _, out _);

    /// <summary>Copies a page.</summary>
    /// <param name="address">Guest physical address, page aligned.</param>
    /// <param name="destination">Receives the page.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="FileMappingException">The page is one of a file that cannot be read any more.</exception>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        if (!TryFind(address, out IMemoryRegion? region, out nuint offset))
        {
            return false;
        }

        region!.Read(offset, destination[..GuestPage.Size]);
        return true;
    }

    private bool TryFind(ulong address, out IMemoryRegion? region, out nuint offset)
    {
        if (TryFind(memory.ScratchMapping, address, out region, out offset)
            || TryFind(memory.ImageMapping, address, out region, out offset))
        {
            return true;
        }

        foreach (GuestMapping mapping in mappings)
        {
            if (TryFind(mapping, address, out region, out offset))
            {
                return true;
            }
        }

        return false;
    }

    private static bool TryFind(in GuestMapping mapping, ulong address, out IMemoryRegion? region, out nuint offset)
    {
        ulong distance = address - mapping.GuestAddress;
        bool isInside = address >= mapping.GuestAddress && distance <= mapping.Size - GuestPage.Size;
        region = isInside ? mapping.Region : null;
        offset = isInside ? mapping.RegionOffset + (nuint)distance : 0;
        return isInside;
    }
}
