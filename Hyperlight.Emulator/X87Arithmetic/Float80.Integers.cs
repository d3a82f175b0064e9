using System.Numerics;

namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Integers.</summary>
internal readonly partial record struct Float80
{
    public static Float80 FromInt64(long value) => FromUInt64(value < 0, value < 0 ? 0 - (ulong)value : (ulong)value);

    public static Float80 FromUInt64(bool isNegative, ulong magnitude)
    {
        if (magnitude == 0)
        {
            return Zero(isNegative);
        }

        int shift = BitOperations.LeadingZeroCount(magnitude);
        return new Float80((ushort)(Sign(isNegative) | (Bias + 63 - shift)), magnitude << shift);
    }

    /// <summary>Rounds to an integer in this format.</summary>
    public static Float80 RoundToInteger(Float80 a, ref FloatEnvironment environment)
    {
        if (Propagates(a, ref environment, out Float80 result))
        {
            return result;
        }

        if (StopsAtDenormal(a, a, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsZero || a.Exponent >= Bias + 63)
        {
            return a;
        }

        SignificandRounding rounding = a.RoundToUnits(environment.Rounding);
        NoteInexact(in rounding, ref environment);
        return FromUInt64(a.IsNegative, rounding.Significand);
    }

    /// <summary>Rounds to a signed integer.</summary>
    /// <param name="size">Its bytes: 2, 4 or 8.</param>
    /// <param name="environment">How to round; gets the exceptions.</param>
    /// <returns>The integer; the smallest one, with the exception for an invalid operation, if none is near.</returns>
    public long ToInteger(int size, ref FloatEnvironment environment)
    {
        long smallest = long.MinValue >> (64 - (8 * size));
        if (TryGetMagnitude(ref environment, out ulong magnitude, out FloatEnvironment rounded))
        {
            ulong limit = IsNegative ? 0 - (ulong)smallest : ~(ulong)smallest;
            if (magnitude <= limit)
            {
                environment = rounded;
                return IsNegative ? (long)(0 - magnitude) : (long)magnitude;
            }
        }

        environment.Raised |= FloatExceptions.Invalid;
        return smallest;
    }

    /// <summary>Rounds to a magnitude of 64 bits. The environment keeps its exceptions: those of the rounding are returned.</summary>
    private bool TryGetMagnitude(ref FloatEnvironment environment, out ulong magnitude, out FloatEnvironment rounded)
    {
        rounded = environment;
        magnitude = 0;
        switch (Class)
        {
            case FloatClass.Zero:
                return true;
            case FloatClass.Normal or FloatClass.Denormal when Exponent <= Bias + 63:
                SignificandRounding rounding = RoundToUnits(environment.Rounding);
                NoteInexact(in rounding, ref rounded);
                magnitude = rounding.Significand;
                return true;
            default:
                return false;
        }
    }

    /// <summary>Rounds a number below two to the 64 to units; a carry out of bit 63 cannot be, as there is no fraction then.</summary>
    private SignificandRounding RoundToUnits(RoundingMode mode) => new(
        IsNegative,
        SignificandRounding.ShiftRight((UInt128)Significand << 64, Bias + 63 - Math.Max(Exponent, 1)),
        64,
        mode);
}
