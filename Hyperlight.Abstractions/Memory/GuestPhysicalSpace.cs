namespace Hyperlight.Abstractions;

/// <summary>The guest physical addresses of the guest ABI, and the checks that every mapping has to pass.</summary>
public static class GuestPhysicalSpace
{
    /// <summary>Width of a guest physical address, in bits.</summary>
    public const int AddressBits = 36;

    /// <summary>The first address beyond the space.</summary>
    public const ulong End = 1UL << AddressBits;

    /// <summary>Refuses an address that no mapping can begin at.</summary>
    /// <param name="guestAddress">Guest physical address.</param>
    /// <exception cref="ArgumentOutOfRangeException">The address is not page aligned, or beyond the space.</exception>
    public static void CheckAddress(ulong guestAddress)
    {
        if (!GuestPage.IsAligned(guestAddress))
        {
            throw new ArgumentOutOfRangeException(
                nameof(guestAddress), $"The guest address 0x{guestAddress:X} is not a multiple of {GuestPage.Size}.");
        }

        CheckRange(guestAddress, GuestPage.Size);
    }

    /// <summary>Refuses a range that leaves the space.</summary>
    /// <param name="guestAddress">Guest physical address of the first byte.</param>
    /// <param name="size">Bytes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range leaves the space, or wraps around.</exception>
    public static void CheckRange(ulong guestAddress, nuint size)
    {
        if (guestAddress >= End || size > End - guestAddress)
        {
            throw new ArgumentOutOfRangeException(
                nameof(guestAddress),
                $"{size} bytes at guest address 0x{guestAddress:X} leave the guest's {AddressBits}-bit physical space.");
        }
    }
}
