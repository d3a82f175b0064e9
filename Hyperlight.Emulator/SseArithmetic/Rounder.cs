using System.Numerics;

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>Brings exact results into a format.</summary>
internal static class Rounder
{
    /// <summary>Shifts to the right; if anything is lost, the lowest bit is set.</summary>
    public static ulong ShiftRightSticky(ulong value, int count) => count switch
    {
        0 => value,
        < 64 => value >> count | (value << (64 - count) != 0 ? 1UL : 0),
        _ => value != 0 ? 1UL : 0,
    };

    public static UInt128 ShiftRightSticky(UInt128 value, int count) => count switch
    {
        0 => value,
        < 128 => value >> count | (value << (128 - count) != UInt128.Zero ? UInt128.One : UInt128.Zero),
        _ => value != UInt128.Zero ? UInt128.One : UInt128.Zero,
    };

    /// <summary>The integer part of a significand after a shift to the right, rounded.</summary>
    public static ulong ShiftRightRounded(
        ulong significand, int count, bool isNegative, RoundingMode mode, out bool isExact)
    {
        // With two bits behind the point, the comparison with one half is still right.
        const int most = 62;
        if (count > most)
        {
            significand = ShiftRightSticky(significand, count - most);
            count = most;
        }

        ulong integer = significand >> count;
        ulong rest = significand & ((1UL << count) - 1);
        isExact = rest == 0;
        ulong half = count == 0 ? 1 : 1UL << (count - 1);
        bool isUp = mode switch
        {
            RoundingMode.Nearest => rest > half || (rest == half && (integer & 1) != 0),
            RoundingMode.Down => isNegative && rest != 0,
            RoundingMode.Up => !isNegative && rest != 0,
            _ => false,
        };
        return isUp ? integer + 1 : integer;
    }

    /// <summary>Rounds a number to a format, and raises what follows from that.</summary>
    public static ulong Pack(in FloatFormat format, in Unpacked number, ref FloatEnvironment environment)
    {
        int drop = 63 - format.FractionBits;
        ulong rounded = ShiftRightRounded(
            number.Significand, drop, number.IsNegative, environment.Rounding, out bool isExact);
        int exponent = number.Exponent + format.Bias;

        // Rounding up may carry into the next power of two: whether a result is tiny shows after rounding.
        int finalExponent = exponent + (int)(rounded >> (format.FractionBits + 1));
        if (finalExponent < 1)
        {
            return PackTiny(in format, in number, drop + 1 - exponent, isExact, ref environment);
        }

        if (finalExponent >= format.ExponentLimit)
        {
            return PackHuge(in format, number.IsNegative, isExact, ref environment);
        }

        if (!isExact)
        {
            environment.Raise(FloatExceptions.Precision);
        }

        // The carry, and the implied bit, add to the exponent.
        return format.WithSign(number.IsNegative, ((ulong)(exponent - 1) << format.FractionBits) + rounded);
    }

    /// <summary>Brings an integer into a format.</summary>
    public static ulong Pack(in FloatFormat format, long value, ref FloatEnvironment environment)
    {
        if (value == 0)
        {
            return 0;
        }

        ulong magnitude = value < 0 ? (ulong)-value : (ulong)value;
        int shift = BitOperations.LeadingZeroCount(magnitude);
        return Pack(in format, new Unpacked(value < 0, 63 - shift, magnitude << shift), ref environment);
    }

    private static ulong PackTiny(
        in FloatFormat format, in Unpacked number, int drop, bool isExact, ref FloatEnvironment environment)
    {
        if (environment.FlushesToZero)
        {
            environment.Raise(FloatExceptions.Underflow | FloatExceptions.Precision);
            return format.WithSign(number.IsNegative, 0);
        }

        if (!environment.IsMasked(FloatExceptions.Underflow))
        {
            // The handler would get the number with another exponent, which loses less.
            environment.Raise(FloatExceptions.Underflow | (isExact ? FloatExceptions.None : FloatExceptions.Precision));
        }

        ulong denormal = ShiftRightRounded(
            number.Significand, drop, number.IsNegative, environment.Rounding, out bool isDenormalExact);
        if (!isDenormalExact && environment.IsMasked(FloatExceptions.Underflow))
        {
            environment.Raise(FloatExceptions.Underflow | FloatExceptions.Precision);
        }

        return format.WithSign(number.IsNegative, denormal);
    }

    private static ulong PackHuge(
        in FloatFormat format, bool isNegative, bool isExact, ref FloatEnvironment environment)
    {
        bool isPrecise = isExact && !environment.IsMasked(FloatExceptions.Overflow);
        environment.Raise(FloatExceptions.Overflow | (isPrecise ? FloatExceptions.None : FloatExceptions.Precision));
        bool isInfinite = environment.Rounding switch
        {
            RoundingMode.Nearest => true,
            RoundingMode.Down => isNegative,
            RoundingMode.Up => !isNegative,
            _ => false,
        };
        return format.WithSign(isNegative, isInfinite ? format.Infinity : format.LargestFinite);
    }
}
