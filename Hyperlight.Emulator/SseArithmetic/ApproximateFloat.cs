namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>
/// RCPPS and RSQRTPS of one number. Processors differ in the results: all that the architecture promises is a relative error
/// of at most 1.5 * 2^-12. Here they are the exact value rounded to a significand of 13 bits, an error of at most 2^-13.
/// </summary>
internal static class ApproximateFloat
{
    private const uint SignBit = 0x8000_0000;
    private const uint Infinity = 0x7F80_0000;
    private const uint QuietBit = 0x0040_0000;
    private const uint DefaultNaN = SignBit | Infinity | QuietBit;
    private const uint SmallestNormal = 0x0080_0000;

    /// <summary>Neither looks at MXCSR: denormal numbers count as zero, tiny results become zero, nothing is raised.</summary>
    public static uint Reciprocal(uint bits)
    {
        uint sign = bits & SignBit;
        uint magnitude = bits & ~SignBit;
        if (magnitude > Infinity)
        {
            return bits | QuietBit;
        }

        if (magnitude < SmallestNormal)
        {
            return sign | Infinity;
        }

        uint result = Shorten(1.0 / BitConverter.UInt32BitsToSingle(magnitude));
        return sign | (magnitude == Infinity || result < SmallestNormal ? 0 : result);
    }

    public static uint ReciprocalSquareRoot(uint bits)
    {
        uint sign = bits & SignBit;
        uint magnitude = bits & ~SignBit;
        if (magnitude > Infinity)
        {
            return bits | QuietBit;
        }

        if (magnitude < SmallestNormal)
        {
            return sign | Infinity;
        }

        if (sign != 0)
        {
            return DefaultNaN;
        }

        return magnitude == Infinity ? 0 : Shorten(1.0 / Math.Sqrt(BitConverter.UInt32BitsToSingle(magnitude)));
    }

    /// <summary>Rounds to 12 bits behind the point.</summary>
    private static uint Shorten(double value)
    {
        const int dropped = 52 - 12;
        ulong bits = BitConverter.DoubleToUInt64Bits(value) + (1UL << (dropped - 1));
        bits &= ~((1UL << dropped) - 1);
        return BitConverter.SingleToUInt32Bits((float)BitConverter.UInt64BitsToDouble(bits));
    }
}
