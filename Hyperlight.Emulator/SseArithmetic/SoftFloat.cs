namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>
/// Arithmetic of SSE on one number, in integers only: right for every operand, rounding mode and control bit, on every host.
/// Numbers are the bits of the format, in the low end of 64.
/// </summary>
internal static class SoftFloat
{
    /// <summary>Applies DAZ.</summary>
    public static ulong Prepare(in FloatFormat format, ulong bits, in FloatEnvironment environment) =>
        environment.DenormalsAreZero && format.IsDenormal(bits) ? bits & format.SignBit : bits;

    public static void RaiseIfDenormal(in FloatFormat format, ulong bits, ref FloatEnvironment environment)
    {
        if (format.IsDenormal(bits))
        {
            environment.Raise(FloatExceptions.Denormal);
        }
    }

    public static ulong Invalid(in FloatFormat format, ref FloatEnvironment environment)
    {
        environment.Raise(FloatExceptions.Invalid);
        return format.DefaultNaN;
    }

    /// <summary>The NaN that an operand causes: that of the first one if both are, and always a quiet one.</summary>
    public static ulong PropagateNaN(in FloatFormat format, ulong a, ulong b, ref FloatEnvironment environment)
    {
        if (format.IsSignalingNaN(a) || format.IsSignalingNaN(b))
        {
            environment.Raise(FloatExceptions.Invalid);
        }

        return (format.IsNaN(a) ? a : b) | format.QuietBit;
    }

    public static ulong Subtract(in FloatFormat format, ulong a, ulong b, ref FloatEnvironment environment) =>
        Add(in format, a, format.IsNaN(b) ? b : b ^ format.SignBit, ref environment);

    public static ulong Add(in FloatFormat format, ulong a, ulong b, ref FloatEnvironment environment)
    {
        a = Prepare(in format, a, in environment);
        b = Prepare(in format, b, in environment);
        if (format.IsNaN(a) || format.IsNaN(b))
        {
            return PropagateNaN(in format, a, b, ref environment);
        }

        if (format.IsInfinity(a) && format.IsInfinity(b) && a != b)
        {
            return Invalid(in format, ref environment);
        }

        RaiseIfDenormal(in format, a, ref environment);
        RaiseIfDenormal(in format, b, ref environment);
        if (format.IsInfinity(a) || format.IsInfinity(b))
        {
            return format.IsInfinity(a) ? a : b;
        }

        if (format.IsZero(a) && format.IsZero(b))
        {
            return a == b ? a : SignedZero(in format, in environment);
        }

        if (format.IsZero(a) || format.IsZero(b))
        {
            return Rounder.Pack(in format, format.Unpack(format.IsZero(a) ? b : a), ref environment);
        }

        return AddFinite(in format, format.Unpack(a), format.Unpack(b), ref environment);
    }

    public static ulong Multiply(in FloatFormat format, ulong a, ulong b, ref FloatEnvironment environment)
    {
        a = Prepare(in format, a, in environment);
        b = Prepare(in format, b, in environment);
        if (format.IsNaN(a) || format.IsNaN(b))
        {
            return PropagateNaN(in format, a, b, ref environment);
        }

        bool isNegative = format.IsNegative(a ^ b);
        bool isInfinite = format.IsInfinity(a) || format.IsInfinity(b);
        bool isZero = format.IsZero(a) || format.IsZero(b);
        if (isInfinite && isZero)
        {
            return Invalid(in format, ref environment);
        }

        RaiseIfDenormal(in format, a, ref environment);
        RaiseIfDenormal(in format, b, ref environment);
        if (isInfinite || isZero)
        {
            return format.WithSign(isNegative, isInfinite ? format.Infinity : 0);
        }

        Unpacked x = format.Unpack(a);
        Unpacked y = format.Unpack(b);
        ulong high = Math.BigMul(x.Significand, y.Significand, out ulong low);
        int exponent = x.Exponent + y.Exponent + 1;
        if ((long)high >= 0)
        {
            high = high << 1 | low >> 63;
            low <<= 1;
            exponent--;
        }

        return Rounder.Pack(
            in format, new Unpacked(isNegative, exponent, high | (low != 0 ? 1UL : 0)), ref environment);
    }

    public static ulong Divide(in FloatFormat format, ulong a, ulong b, ref FloatEnvironment environment)
    {
        a = Prepare(in format, a, in environment);
        b = Prepare(in format, b, in environment);
        if (format.IsNaN(a) || format.IsNaN(b))
        {
            return PropagateNaN(in format, a, b, ref environment);
        }

        bool isNegative = format.IsNegative(a ^ b);
        if ((format.IsInfinity(a) && format.IsInfinity(b)) || (format.IsZero(a) && format.IsZero(b)))
        {
            return Invalid(in format, ref environment);
        }

        if (format.IsZero(b) && !format.IsInfinity(a))
        {
            environment.Raise(FloatExceptions.DivideByZero);
            return format.WithSign(isNegative, format.Infinity);
        }

        RaiseIfDenormal(in format, a, ref environment);
        RaiseIfDenormal(in format, b, ref environment);
        if (format.IsInfinity(a) || format.IsInfinity(b) || format.IsZero(a))
        {
            return format.WithSign(isNegative, format.IsInfinity(a) ? format.Infinity : 0);
        }

        Unpacked x = format.Unpack(a);
        Unpacked y = format.Unpack(b);
        bool isLess = x.Significand < y.Significand;
        (UInt128 quotient, UInt128 rest) = UInt128.DivRem((UInt128)x.Significand << (isLess ? 64 : 63), y.Significand);
        ulong significand = (ulong)quotient | (rest != UInt128.Zero ? 1UL : 0);
        return Rounder.Pack(
            in format,
            new Unpacked(isNegative, x.Exponent - y.Exponent - (isLess ? 1 : 0), significand),
            ref environment);
    }

    public static ulong SquareRoot(in FloatFormat format, ulong a, ref FloatEnvironment environment)
    {
        a = Prepare(in format, a, in environment);
        if (format.IsNaN(a))
        {
            return PropagateNaN(in format, a, a, ref environment);
        }

        if (format.IsZero(a))
        {
            return a;
        }

        if (format.IsNegative(a))
        {
            return Invalid(in format, ref environment);
        }

        RaiseIfDenormal(in format, a, ref environment);
        if (format.IsInfinity(a))
        {
            return a;
        }

        Unpacked x = format.Unpack(a);
        UInt128 radicand = (UInt128)x.Significand << ((x.Exponent & 1) != 0 ? 64 : 63);
        ulong root = SquareRoot(radicand, out bool isExact);
        return Rounder.Pack(
            in format, new Unpacked(false, x.Exponent >> 1, root | (isExact ? 0UL : 1)), ref environment);
    }

    private static ulong SignedZero(in FloatFormat format, in FloatEnvironment environment) =>
        format.WithSign(environment.Rounding == RoundingMode.Down, 0);

    private static ulong AddFinite(in FloatFormat format, in Unpacked a, in Unpacked b, ref FloatEnvironment environment)
    {
        bool isOrdered = a.Exponent > b.Exponent || (a.Exponent == b.Exponent && a.Significand >= b.Significand);
        Unpacked large = isOrdered ? a : b;
        Unpacked small = isOrdered ? b : a;

        // One bit above for the carry, and room below for all that one bit too many lost can do.
        const int headroom = 1;
        UInt128 x = (UInt128)large.Significand << (64 - headroom);
        UInt128 y = Rounder.ShiftRightSticky(
            (UInt128)small.Significand << (64 - headroom), large.Exponent - small.Exponent);
        UInt128 sum = a.IsNegative == b.IsNegative ? x + y : x - y;
        if (sum == UInt128.Zero)
        {
            return SignedZero(in format, in environment);
        }

        int shift = (int)UInt128.LeadingZeroCount(sum);
        ulong significand = (ulong)Rounder.ShiftRightSticky(sum << shift, 64);
        return Rounder.Pack(
            in format, new Unpacked(large.IsNegative, large.Exponent + headroom - shift, significand), ref environment);
    }

    /// <summary>The integer square root, digit by digit.</summary>
    private static ulong SquareRoot(UInt128 radicand, out bool isExact)
    {
        UInt128 rest = radicand;
        UInt128 root = UInt128.Zero;
        for (UInt128 digit = UInt128.One << 126; digit != UInt128.Zero; digit >>= 2)
        {
            UInt128 trial = root + digit;
            root >>= 1;
            if (rest >= trial)
            {
                rest -= trial;
                root += digit;
            }
        }

        isExact = rest == UInt128.Zero;
        return (ulong)root;
    }
}
