using System.Numerics;

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>A binary interchange format of IEEE 754, and what the bits of a number in it say.</summary>
/// <param name="fractionBits">Bits of the significand without the implied one.</param>
/// <param name="exponentBits">Bits of the exponent.</param>
internal readonly struct FloatFormat(int fractionBits, int exponentBits)
{
    public static readonly FloatFormat Single = new(23, 8);
    public static readonly FloatFormat Double = new(52, 11);

    public int FractionBits => fractionBits;

    /// <summary>The biased exponent of infinities and NaNs.</summary>
    public int ExponentLimit => (1 << exponentBits) - 1;

    public int Bias => (1 << (exponentBits - 1)) - 1;

    public ulong SignBit => 1UL << (fractionBits + exponentBits);

    public ulong Infinity => (ulong)ExponentLimit << fractionBits;

    public ulong LargestFinite => Infinity - 1;

    /// <summary>The bit that tells a quiet NaN from a signaling one.</summary>
    public ulong QuietBit => 1UL << (fractionBits - 1);

    /// <summary>What an invalid operation gives: a negative quiet NaN.</summary>
    public ulong DefaultNaN => SignBit | Infinity | QuietBit;

    private ulong FractionMask => (1UL << fractionBits) - 1;

    public ulong Magnitude(ulong bits) => bits & (SignBit - 1);

    public bool IsNegative(ulong bits) => (bits & SignBit) != 0;

    public bool IsZero(ulong bits) => Magnitude(bits) == 0;

    public bool IsInfinity(ulong bits) => Magnitude(bits) == Infinity;

    public bool IsNaN(ulong bits) => Magnitude(bits) > Infinity;

    public bool IsSignalingNaN(ulong bits) => IsNaN(bits) && (bits & QuietBit) == 0;

    public bool IsDenormal(ulong bits) => Magnitude(bits) - 1 < FractionMask;

    public ulong WithSign(bool isNegative, ulong magnitude) => isNegative ? magnitude | SignBit : magnitude;

    /// <summary>The parts of a number that is finite and not zero.</summary>
    public Unpacked Unpack(ulong bits)
    {
        ulong fraction = bits & FractionMask;
        int exponent = (int)(Magnitude(bits) >> fractionBits);
        ulong significand = exponent == 0 ? fraction : fraction | (FractionMask + 1);
        int shift = BitOperations.LeadingZeroCount(significand);
        return new Unpacked(
            IsNegative(bits), Math.Max(exponent, 1) - Bias + (63 - fractionBits) - shift, significand << shift);
    }
}

/// <summary>
/// A number that is not zero: a significand whose highest bit is set, which counts 1, times two to the power of the exponent.
/// The lowest bit of a significand that is not exact is set: it says that there is more, for which the formats leave room.
/// </summary>
internal readonly record struct Unpacked(bool IsNegative, int Exponent, ulong Significand);
