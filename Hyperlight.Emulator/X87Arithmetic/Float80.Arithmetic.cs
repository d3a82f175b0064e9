namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Addition, subtraction, multiplication, division and square root, rounded to the precision of the environment.</summary>
internal readonly partial record struct Float80
{
    public static Float80 Add(Float80 a, Float80 b, ref FloatEnvironment environment) =>
        Add(a, b, isSubtraction: false, ref environment);

    public static Float80 Subtract(Float80 a, Float80 b, ref FloatEnvironment environment) =>
        Add(a, b, isSubtraction: true, ref environment);

    public static Float80 Multiply(Float80 a, Float80 b, ref FloatEnvironment environment)
    {
        if (Propagates(a, b, ref environment, out Float80 result))
        {
            return result;
        }

        if ((a.IsZero && b.IsInfinity) || (a.IsInfinity && b.IsZero))
        {
            return Invalid(ref environment);
        }

        bool isNegative = a.IsNegative != b.IsNegative;
        if (StopsAtDenormal(a, b, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsInfinity || b.IsInfinity)
        {
            return Infinity(isNegative);
        }

        if (a.IsZero || b.IsZero)
        {
            return Zero(isNegative);
        }

        (int exponentA, ulong significandA) = a.Normalize();
        (int exponentB, ulong significandB) = b.Normalize();
        UInt128 product = Math.BigMul(significandA, significandB);
        return NormalizeAndRound(
            isNegative, exponentA + exponentB - Bias + 1, product, environment.Precision, ref environment);
    }

    public static Float80 Divide(Float80 a, Float80 b, ref FloatEnvironment environment)
    {
        if (Propagates(a, b, ref environment, out Float80 result))
        {
            return result;
        }

        if ((a.IsZero && b.IsZero) || (a.IsInfinity && b.IsInfinity))
        {
            return Invalid(ref environment);
        }

        bool isNegative = a.IsNegative != b.IsNegative;
        if (b.IsZero && !a.IsInfinity)
        {
            environment.Raised |= FloatExceptions.ZeroDivide;
            return Infinity(isNegative);
        }

        if (StopsAtDenormal(a, b, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsInfinity)
        {
            return Infinity(isNegative);
        }

        if (a.IsZero || b.IsInfinity)
        {
            return Zero(isNegative);
        }

        (int exponentA, ulong significandA) = a.Normalize();
        (int exponentB, ulong significandB) = b.Normalize();

        // 64 bits of quotient, then 64 more; what remains only tells that it is not all.
        int shift = significandA >= significandB ? 63 : 64;
        (UInt128 high, UInt128 remainder) = UInt128.DivRem((UInt128)significandA << shift, significandB);
        (UInt128 low, remainder) = UInt128.DivRem(remainder << 64, significandB);
        UInt128 quotient = (high << 64) | low | (remainder != 0 ? UInt128.One : 0);
        return Round(
            isNegative, exponentA - exponentB + Bias + 63 - shift, quotient, environment.Precision, ref environment);
    }

    public static Float80 SquareRoot(Float80 a, ref FloatEnvironment environment)
    {
        if (Propagates(a, ref environment, out Float80 result))
        {
            return result;
        }

        if (a.IsZero)
        {
            return a;
        }

        if (a.IsNegative)
        {
            return Invalid(ref environment);
        }

        if (StopsAtDenormal(a, a, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsInfinity)
        {
            return a;
        }

        (int exponent, ulong significand) = a.Normalize();
        int unbiased = exponent - Bias;
        UInt128 radicand = (UInt128)significand << (62 + (unbiased & 1) + 1);
        ulong root = IntegerSquareRoot(radicand, out UInt128 remainder);

        // The root is irrational or exact, never half-way: above the middle exactly if the remainder exceeds the root.
        ulong rest = (remainder > root ? 1UL << 63 : 0) | (remainder != 0 ? 1UL : 0);
        return Round(
            false, (unbiased >> 1) + Bias, new UInt128(root, rest), environment.Precision, ref environment);
    }

    private static Float80 Add(Float80 a, Float80 b, bool isSubtraction, ref FloatEnvironment environment)
    {
        if (Propagates(a, b, ref environment, out Float80 result))
        {
            return result;
        }

        bool isNegativeB = b.IsNegative != isSubtraction;
        if (a.IsInfinity && b.IsInfinity && a.IsNegative != isNegativeB)
        {
            return Invalid(ref environment);
        }

        if (StopsAtDenormal(a, b, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsInfinity)
        {
            return a;
        }

        if (b.IsInfinity)
        {
            return Infinity(isNegativeB);
        }

        return AddFinite(a, a.IsNegative, b, isNegativeB, ref environment);
    }

    private static Float80 AddFinite(
        Float80 a, bool isNegativeA, Float80 b, bool isNegativeB, ref FloatEnvironment environment)
    {
        if (a.IsZero && b.IsZero)
        {
            return Zero(isNegativeA == isNegativeB ? isNegativeA : environment.Rounding == RoundingMode.Down);
        }

        (int exponentA, ulong significandA) = a.IsZero ? (int.MinValue / 2, 0) : a.Normalize();
        (int exponentB, ulong significandB) = b.IsZero ? (int.MinValue / 2, 0) : b.Normalize();

        // One bit is left above for a carry, and 63 below for what is shifted out.
        int exponent = Math.Max(exponentA, exponentB);
        UInt128 x = SignificandRounding.ShiftRight((UInt128)significandA << 63, exponent - exponentA);
        UInt128 y = SignificandRounding.ShiftRight((UInt128)significandB << 63, exponent - exponentB);
        bool isNegative = x >= y ? isNegativeA : isNegativeB;
        UInt128 sum = isNegativeA == isNegativeB ? x + y : x >= y ? x - y : y - x;
        return sum == 0
            ? Zero(environment.Rounding == RoundingMode.Down)
            : NormalizeAndRound(isNegative, exponent + 1, sum, environment.Precision, ref environment);
    }

    private static Float80 NormalizeAndRound(
        bool isNegative, int exponent, UInt128 value, int precision, ref FloatEnvironment environment)
    {
        int shift = (int)UInt128.LeadingZeroCount(value);
        return Round(isNegative, exponent - shift, value << shift, precision, ref environment);
    }

    /// <summary>The root, bit by bit, of a number of 127 or 128 bits.</summary>
    private static ulong IntegerSquareRoot(UInt128 radicand, out UInt128 remainder)
    {
        UInt128 root = 0;
        remainder = radicand;
        for (UInt128 bit = UInt128.One << 126; bit != 0; bit >>= 2)
        {
            UInt128 candidate = root + bit;
            root >>= 1;
            if (remainder >= candidate)
            {
                remainder -= candidate;
                root += bit;
            }
        }

        return (ulong)root;
    }
}
