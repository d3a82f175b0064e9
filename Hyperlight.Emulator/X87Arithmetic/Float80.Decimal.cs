namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Packed decimals: eighteen digits in nine bytes, and a byte with the sign.</summary>
internal readonly partial record struct Float80
{
    private const int DecimalDigits = 18;
    private const ulong LargestDecimal = 999_999_999_999_999_999;

    /// <summary>Bytes of the packed decimal that stands for an invalid result.</summary>
    private static readonly (ulong Low, ushort High) IndefiniteDecimal = (0xC000_0000_0000_0000, 0xFFFF);

    /// <summary>Reads a packed decimal; digits above nine count as what their bits say.</summary>
    /// <param name="low">The first eight bytes.</param>
    /// <param name="high">The last two bytes.</param>
    public static Float80 FromDecimal(ulong low, ushort high)
    {
        ulong value = 0;
        for (int digit = DecimalDigits - 1; digit >= 0; digit--)
        {
            ulong bits = digit >= 16 ? (ulong)high >> (4 * (digit - 16)) : low >> (4 * digit);
            value = (value * 10) + (bits & 0xF);
        }

        return FromUInt64((high & 0x8000) != 0, value);
    }

    /// <summary>Rounds to a packed decimal.</summary>
    public (ulong Low, ushort High) ToDecimal(ref FloatEnvironment environment)
    {
        if (!TryGetMagnitude(ref environment, out ulong magnitude, out FloatEnvironment rounded) || magnitude > LargestDecimal)
        {
            environment.Raised |= FloatExceptions.Invalid;
            return IndefiniteDecimal;
        }

        environment = rounded;
        UInt128 digits = 0;
        for (int digit = 0; digit < DecimalDigits; digit++)
        {
            (magnitude, ulong bits) = Math.DivRem(magnitude, 10);
            digits |= (UInt128)bits << (4 * digit);
        }

        return ((ulong)digits, (ushort)((ulong)(digits >> 64) | Sign(IsNegative)));
    }
}
