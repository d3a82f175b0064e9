namespace Hyperlight.Abstractions;

/// <summary>The page of the guest ABI, the unit of every mapping.</summary>
public static class GuestPage
{
    /// <summary>Bytes in a page.</summary>
    public const int Size = 0x1000;

    /// <summary>Whether an address or size is a multiple of a page.</summary>
    /// <param name="value">An address or a size in bytes.</param>
    public static bool IsAligned(ulong value) => (value & (Size - 1)) == 0;

    /// <summary>Rounds a size or address up to a multiple of a page.</summary>
    /// <param name="value">An address or a size in bytes.</param>
    /// <exception cref="OverflowException">The result does not fit 64 bits.</exception>
    public static ulong RoundUp(ulong value) => checked(value + (Size - 1)) & ~(ulong)(Size - 1);
}
