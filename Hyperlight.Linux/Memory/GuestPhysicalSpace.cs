using Hyperlight.Abstractions;

namespace Hyperlight.Linux;

/// <summary>The guest physical addresses of the guest ABI.</summary>
internal static class GuestPhysicalSpace
{
    /// <summary>Width of a guest physical address.</summary>
    public const int AddressBits = 36;

    /// <summary>The first address beyond the space.</summary>
    public const ulong End = 1UL << AddressBits;

    /// <summary>Refuses an address that no mapping can begin at.</summary>
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
