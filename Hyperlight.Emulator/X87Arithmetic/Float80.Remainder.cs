namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Partial remainders, scaling and extraction.</summary>
internal readonly partial record struct Float80
{
    /// <summary>Exponents farther apart than this are brought nearer in several steps.</summary>
    private const int LongestReduction = 64;

    /// <summary>A step towards, or to, the remainder of a division.</summary>
    /// <param name="a">The dividend.</param>
    /// <param name="b">The divisor.</param>
    /// <param name="isNearest">The quotient is rounded to nearest as IEEE 754 wants it, otherwise towards zero.</param>
    /// <param name="environment">Gets the exceptions.</param>
    /// <param name="quotient">The low bits of the quotient, zero if the reduction is not complete.</param>
    /// <param name="isPartial">The reduction is not complete.</param>
    /// <returns>The remainder, exact.</returns>
    public static Float80 Remainder(
        Float80 a, Float80 b, bool isNearest, ref FloatEnvironment environment, out ulong quotient, out bool isPartial)
    {
        quotient = 0;
        isPartial = false;
        if (Propagates(a, b, ref environment, out Float80 result))
        {
            return result;
        }

        if (a.IsInfinity || b.IsZero)
        {
            return Invalid(ref environment);
        }

        if (StopsAtDenormal(a, b, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsZero)
        {
            return a;
        }

        (int exponentA, ulong significandA) = a.Normalize();
        if (b.IsInfinity)
        {
            return Round(a.IsNegative, exponentA, (UInt128)significandA << 64, 64, ref environment);
        }

        (int exponentB, ulong significandB) = b.Normalize();
        int distance = exponentA - exponentB;
        if (distance < -1)
        {
            return Round(a.IsNegative, exponentA, (UInt128)significandA << 64, 64, ref environment);
        }

        isPartial = distance >= LongestReduction;
        if (isPartial)
        {
            int step = 32 + (distance % 32);
            UInt128 partial = ((UInt128)significandA << step) % significandB;
            return FromParts(a.IsNegative, exponentB + distance - step, partial, ref environment);
        }

        // Below the divisor, the dividend is kept and the divisor doubled, so that both are integers.
        UInt128 divisor = distance < 0 ? (UInt128)significandB << 1 : significandB;
        int exponent = Math.Min(exponentA, exponentB);
        (UInt128 whole, UInt128 rest) = UInt128.DivRem((UInt128)significandA << Math.Max(distance, 0), divisor);
        bool isNegative = a.IsNegative;
        if (isNearest && (rest << 1 > divisor || (rest << 1 == divisor && (whole & 1) != 0)))
        {
            rest = divisor - rest;
            whole++;
            isNegative = !isNegative;
        }

        quotient = (ulong)whole;
        return rest == 0 ? Zero(a.IsNegative) : FromParts(isNegative, exponent, rest, ref environment);
    }

    /// <summary>The first value times two to the power of the second, whose fraction does not count.</summary>
    public static Float80 Scale(Float80 a, Float80 b, ref FloatEnvironment environment)
    {
        if (Propagates(a, b, ref environment, out Float80 result))
        {
            return result;
        }

        if (b.IsInfinity && (b.IsNegative ? a.IsInfinity : a.IsZero))
        {
            return Invalid(ref environment);
        }

        if (StopsAtDenormal(a, b, ref environment))
        {
            return DefaultNaN;
        }

        if (b.IsInfinity && !a.IsZero && !a.IsInfinity)
        {
            return b.IsNegative ? Zero(a.IsNegative) : Infinity(a.IsNegative);
        }

        if (a.IsZero || a.IsInfinity)
        {
            return a;
        }

        const int unreachable = 0x1_0000;
        int magnitude = b.Exponent < Bias ? 0
            : b.Exponent >= Bias + 16 ? unreachable
            : (int)(b.Significand >> (Bias + 63 - b.Exponent));
        (int exponent, ulong significand) = a.Normalize();
        return Round(
            a.IsNegative, exponent + (b.IsNegative ? -magnitude : magnitude), (UInt128)significand << 64, 64, ref environment);
    }

    /// <summary>Splits a value into a significand between 1 and 2 and an exponent.</summary>
    public static (Float80 Exponent, Float80 Significand) Extract(Float80 a, ref FloatEnvironment environment)
    {
        if (Propagates(a, ref environment, out Float80 result))
        {
            return (result, result);
        }

        if (a.IsInfinity)
        {
            return (Infinity(false), a);
        }

        if (a.IsZero)
        {
            environment.Raised |= FloatExceptions.ZeroDivide;
            return (Infinity(true), a);
        }

        if (StopsAtDenormal(a, a, ref environment))
        {
            return (DefaultNaN, DefaultNaN);
        }

        (int exponent, ulong significand) = a.Normalize();
        return (FromInt64(exponent - Bias), new Float80((ushort)(Sign(a.IsNegative) | Bias), significand));
    }

    /// <summary>A number whose significand is less than two to the 64, with the exponent that bit 63 would have.</summary>
    private static Float80 FromParts(bool isNegative, int exponent, UInt128 value, ref FloatEnvironment environment) =>
        value == 0 ? Zero(isNegative) : NormalizeAndRound(isNegative, exponent, value << 64, 64, ref environment);
}
