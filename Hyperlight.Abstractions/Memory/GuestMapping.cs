namespace Hyperlight.Abstractions;

/// <summary>Host memory at a guest physical address.</summary>
/// <param name="GuestAddress">Guest physical address of the first byte, a multiple of <see cref="GuestPage.Size"/>.</param>
/// <param name="Region">The host memory.</param>
/// <param name="RegionOffset">Offset of the first byte in <paramref name="Region"/>, a multiple of <see cref="GuestPage.Size"/>.</param>
/// <param name="Size">Bytes mapped, a positive multiple of <see cref="GuestPage.Size"/>.</param>
/// <param name="Flags">What the guest may do.</param>
public readonly record struct GuestMapping(
    ulong GuestAddress,
    IMemoryRegion Region,
    nuint RegionOffset,
    nuint Size,
    MemoryFlags Flags)
{
    /// <summary>Maps a whole region.</summary>
    /// <param name="guestAddress">Guest physical address of the first byte.</param>
    /// <param name="region">The host memory.</param>
    /// <param name="flags">What the guest may do.</param>
    public static GuestMapping Whole(ulong guestAddress, IMemoryRegion region, MemoryFlags flags)
    {
        ArgumentNullException.ThrowIfNull(region);
        return new GuestMapping(guestAddress, region, 0, region.Size, flags);
    }

    /// <summary>Checks alignment and bounds, as every driver does before it asks its hypervisor.</summary>
    /// <exception cref="ArgumentException">The mapping is empty, not page aligned, wraps around or leaves its region.</exception>
    public void Validate()
    {
        if (Region is null)
        {
            throw new ArgumentException("The mapping has no memory region.");
        }

        if (Size == 0 || !GuestPage.IsAligned(Size))
        {
            throw new ArgumentException($"The mapping's size, {Size} bytes, must be a positive multiple of {GuestPage.Size}.");
        }

        if (!GuestPage.IsAligned(GuestAddress) || !GuestPage.IsAligned(RegionOffset))
        {
            throw new ArgumentException(
                $"The guest address 0x{GuestAddress:X} and the region offset 0x{(ulong)RegionOffset:X} must be multiples of {GuestPage.Size}.");
        }

        if (GuestAddress > ulong.MaxValue - Size)
        {
            throw new ArgumentException($"The mapping of {Size} bytes at 0x{GuestAddress:X} wraps around the address space.");
        }

        if (RegionOffset > Region.Size || Size > Region.Size - RegionOffset)
        {
            throw new ArgumentException(
                $"The mapping of {Size} bytes from offset 0x{(ulong)RegionOffset:X} leaves its region of {Region.Size} bytes.");
        }
    }
}
