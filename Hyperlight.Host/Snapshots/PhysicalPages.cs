using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// The pages of a guest's physical memory, by address: scratch memory, its image, and what else is mapped. Addresses come
/// from the guest and may be anything.
/// </summary>
internal sealed class PhysicalPages(GuestMemory memory, IReadOnlyList<MappedRegion> mappings)
{
    private readonly GuestMapping _scratch = memory.ScratchMapping;
    private readonly GuestMapping _image = memory.ImageMapping;

    /// <summary>How many pages are the guest's own. Those of mappings are not: it has its tables elsewhere.</summary>
    public ulong OwnCount { get; } = (memory.ScratchMapping.Size + memory.ImageMapping.Size) / GuestPage.Size;

    /// <summary>Whether a whole page is at an address.</summary>
    /// <param name="address">Guest physical address, page aligned.</param>
    public bool Contains(ulong address) => FindOwn(address) is not null || FindMapped(address) is not null;

    /// <summary>Copies a page.</summary>
    /// <param name="address">Guest physical address, page aligned.</param>
    /// <param name="destination">Receives the page.</param>
    /// <returns>Whether there is one.</returns>
    /// <exception cref="SnapshotException">The page is one of a file that cannot be read any more.</exception>
    public bool TryRead(ulong address, Span<byte> destination)
    {
        Span<byte> page = destination[..GuestPage.Size];
        if (FindOwn(address) is { } own)
        {
            own.Region.Read(own.RegionOffset + (nuint)(address - own.GuestAddress), page);
            return true;
        }

        if (FindMapped(address) is not { } mapped)
        {
            return false;
        }

        try
        {
            mapped.Read(address, page);
            return true;
        }
        catch (FileMappingException exception)
        {
            throw new SnapshotException(mapped.Label, exception);
        }
    }

    private GuestMapping? FindOwn(ulong address) =>
        Contains(_scratch, address) ? _scratch : Contains(_image, address) ? _image : null;

    private MappedRegion? FindMapped(ulong address)
    {
        foreach (MappedRegion mapping in mappings)
        {
            if (mapping.Contains(address))
            {
                return mapping;
            }
        }

        return null;
    }

    private static bool Contains(in GuestMapping mapping, ulong address) =>
        address >= mapping.GuestAddress && address - mapping.GuestAddress < mapping.Size;
}
