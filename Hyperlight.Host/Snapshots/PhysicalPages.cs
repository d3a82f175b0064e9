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

    /// <summary>By address: a guest chooses how often an address is looked up, and may have thousands of mappings.</summary>
    private readonly MappedRegion[] _mappings = [.. mappings.OrderBy(static m => m.Mapping.GuestAddress)];

    /// <summary>How many pages scratch memory has. It is all that a guest can write to, so that its tables are there.</summary>
    public ulong ScratchCount { get; } = memory.ScratchMapping.Size / GuestPage.Size;

    /// <summary>Whether a whole page is at an address.</summary>
    /// <param name="address">Guest physical address, page aligned.</param>
    public bool Contains(ulong address) => FindOwn(address) is not null || FindMapped(address) is not null;

    /// <summary>Whether a page is one of a region that stays mapped, which a snapshot refers to.</summary>
    /// <param name="address">Guest physical address, page aligned.</param>
    public bool IsRetained(ulong address) => FindOwn(address) is null && FindMapped(address) is { IsRetained: true };

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
        int low = 0;
        int high = _mappings.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_mappings[middle].Mapping.GuestAddress <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        // The last one that does not begin behind the address; mappings do not overlap.
        return low > 0 && _mappings[low - 1].Contains(address) ? _mappings[low - 1] : null;
    }

    private static bool Contains(in GuestMapping mapping, ulong address) =>
        address >= mapping.GuestAddress && address - mapping.GuestAddress < mapping.Size;
}
