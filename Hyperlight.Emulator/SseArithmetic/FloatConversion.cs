using System.Numerics;

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>Conversions of SSE of one number.</summary>
internal static class FloatConversion
{
    /// <summary>Converts to a signed integer of so many bits; what does not fit gives the lowest one.</summary>
    public static long ToInteger(
        in FloatFormat format, ulong value, int bits, RoundingMode mode, ref FloatEnvironment environment)
    {
        long indefinite = bits == 64 ? long.MinValue : int.MinValue;
        value = SoftFloat.Prepare(in format, value, in environment);
        if (format.IsZero(value))
        {
            return 0;
        }

        if (format.IsNaN(value) || format.IsInfinity(value))
        {
            environment.Raise(FloatExceptions.Invalid);
            return indefinite;
        }

        Unpacked x = format.Unpack(value);
        bool isExact = true;
        ulong magnitude = x.Exponent > 63
            ? ulong.MaxValue
            : Rounder.ShiftRightRounded(x.Significand, 63 - x.Exponent, x.IsNegative, mode, out isExact);
        ulong limit = (1UL << (bits - 1)) - (x.IsNegative ? 0UL : 1);
        if (magnitude > limit)
        {
            environment.Raise(FloatExceptions.Invalid);
            return indefinite;
        }

        if (!isExact)
        {
            environment.Raise(FloatExceptions.Precision);
        }

        return x.IsNegative ? -(long)magnitude : (long)magnitude;
    }

    /// <summary>Rounds to an integer in the same format.</summary>
    /// <param name="format">Of the number and of the result.</param>
    /// <param name="value">The number.</param>
    /// <param name="mode">How to round.</param>
    /// <param name="isSilent">Whether a result that differs raises nothing.</param>
    /// <param name="environment">Takes the exceptions.</param>
    public static ulong ToIntegral(
        in FloatFormat format, ulong value, RoundingMode mode, bool isSilent, ref FloatEnvironment environment)
    {
        value = SoftFloat.Prepare(in format, value, in environment);
        if (format.IsNaN(value))
        {
            return SoftFloat.PropagateNaN(in format, value, value, ref environment);
        }

        if (format.IsZero(value) || format.IsInfinity(value))
        {
            return value;
        }

        Unpacked x = format.Unpack(value);
        if (x.Exponent >= format.FractionBits)
        {
            return value;
        }

        ulong magnitude = Rounder.ShiftRightRounded(
            x.Significand, 63 - x.Exponent, x.IsNegative, mode, out bool isExact);
        if (!isExact && !isSilent)
        {
            environment.Raise(FloatExceptions.Precision);
        }

        if (magnitude == 0)
        {
            return format.WithSign(x.IsNegative, 0);
        }

        int shift = BitOperations.LeadingZeroCount(magnitude);
        return Rounder.Pack(in format, new Unpacked(x.IsNegative, 63 - shift, magnitude << shift), ref environment);
    }

    /// <summary>Brings a number into another format.</summary>
    public static ulong Convert(
        in FloatFormat from, in FloatFormat to, ulong value, ref FloatEnvironment environment)
    {
        value = SoftFloat.Prepare(in from, value, in environment);
        bool isNegative = from.IsNegative(value);
        if (from.IsNaN(value))
        {
            if (from.IsSignalingNaN(value))
            {
                environment.Raise(FloatExceptions.Invalid);
            }

            // The highest bits of the payload are kept.
            int shift = from.FractionBits - to.FractionBits;
            ulong payload = from.Magnitude(value) - from.Infinity;
            payload = shift > 0 ? payload >> shift : payload << -shift;
            return to.WithSign(isNegative, to.Infinity | to.QuietBit | payload);
        }

        if (from.IsZero(value) || from.IsInfinity(value))
        {
            return to.WithSign(isNegative, from.IsZero(value) ? 0 : to.Infinity);
        }

        SoftFloat.RaiseIfDenormal(in from, value, ref environment);
        return Rounder.Pack(in to, from.Unpack(value), ref environment);
    }
}
