namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>
/// Functions that the processor computes to 64 bits, here to the 53 bits of the host's mathematical library. Special
/// operands give exactly what the manual says; other results may differ from the processor's, and between hosts, behind
/// the 50th bit or so. Exponents outside the range of double precision are taken care of.
/// </summary>
internal readonly partial record struct Float80
{
    /// <summary>Arguments as large as this are refused: the program has to reduce them.</summary>
    private const int LargestAngleExponent = Bias + 63;

    /// <summary>Below this exponent, the first term of the series is all that fits.</summary>
    private const int SmallExponent = Bias - 32;

    /// <summary>The 66 bits of pi that the processor knows, so that angles are reduced as it does.</summary>
    private static readonly UInt128 HalfOfPi = new(3, 0x243F_6A88_85A3_08D3);
    private static readonly Float80 Pi = new(0x4000, 0xC90F_DAA2_2168_C235);
    private static readonly Float80 NaturalLogarithmOfTwo = new(0x3FFE, 0xB172_17F7_D1CF_79AC);
    private static readonly Float80 BinaryLogarithmOfE = new(0x3FFF, 0xB8AA_3B29_5C17_F0BC);

    /// <summary>Whether an angle is too large for the trigonometric instructions.</summary>
    public bool IsOutOfAngleRange => Class == FloatClass.Normal && Exponent >= LargestAngleExponent;

    public static Float80 Sine(Float80 a, ref FloatEnvironment environment)
    {
        if (IsSpecialAngle(a, ref environment, out Float80 result))
        {
            return result;
        }

        if (a.IsZero || a.Exponent < SmallExponent)
        {
            return a.IsZero ? a : Beside(a, isAbove: false, ref environment);
        }

        (double angle, int quadrant) = a.Reduce();
        double magnitude = (quadrant & 1) == 0 ? Math.Sin(angle) : Math.Cos(angle);
        return FromResult((quadrant >= 2) != a.IsNegative ? -magnitude : magnitude, ref environment);
    }

    public static Float80 Cosine(Float80 a, ref FloatEnvironment environment)
    {
        if (IsSpecialAngle(a, ref environment, out Float80 result))
        {
            return result;
        }

        if (a.IsZero || a.Exponent < SmallExponent)
        {
            return a.IsZero ? One : Beside(One, isAbove: false, ref environment);
        }

        (double angle, int quadrant) = a.Reduce();
        double magnitude = (quadrant & 1) == 0 ? Math.Cos(angle) : Math.Sin(angle);
        return FromResult(quadrant is 1 or 2 ? -magnitude : magnitude, ref environment);
    }

    /// <summary>The tangent, and what the instruction pushes behind it: one, unless the tangent is a NaN.</summary>
    public static (Float80 Tangent, Float80 Pushed) TangentAndOne(Float80 a, ref FloatEnvironment environment)
    {
        if (IsSpecialAngle(a, ref environment, out Float80 result))
        {
            return (result, result);
        }

        if (a.IsZero || a.Exponent < SmallExponent)
        {
            return (a.IsZero ? a : Beside(a, isAbove: true, ref environment), One);
        }

        (double angle, int quadrant) = a.Reduce();
        double tangent = (quadrant & 1) == 0 ? Math.Tan(angle) : -1 / Math.Tan(angle);
        return (FromResult(a.IsNegative ? -tangent : tangent, ref environment), One);
    }

    /// <summary>The angle of the point whose coordinates are <paramref name="x"/> and <paramref name="y"/>.</summary>
    public static Float80 ArcTangent(Float80 y, Float80 x, ref FloatEnvironment environment)
    {
        if (Propagates(y, x, ref environment, out Float80 result))
        {
            return result;
        }

        if (StopsAtDenormal(y, x, ref environment))
        {
            return DefaultNaN;
        }

        if (y.IsZero && (x.IsZero || !x.IsNegative))
        {
            return x.IsNegative ? Inexact(y.IsNegative ? Pi.Negate() : Pi, ref environment) : y;
        }

        if (x.IsInfinity && !y.IsInfinity && !x.IsNegative)
        {
            return Zero(y.IsNegative);
        }

        // Only the ratio counts: both exponents are moved into the range of double precision.
        if (y.IsInfinity || x.IsInfinity || y.IsZero || x.IsZero)
        {
            return FromResult(Math.Atan2(y.ToSign(), x.ToSign()), ref environment);
        }

        (int exponentY, ulong significandY) = y.Normalize();
        (int exponentX, ulong significandX) = x.Normalize();
        int distance = exponentY - exponentX;
        if (distance < -64 && !x.IsNegative)
        {
            FloatEnvironment wide = environment with { Precision = 64 };
            result = Divide(y, x, ref wide);
            environment.Raised |= wide.Raised & FloatExceptions.Underflow;
            return Inexact(result, ref environment);
        }

        distance = Math.Clamp(distance, -200, 200);
        var scaledY = new Float80((ushort)(Sign(y.IsNegative) | (Bias + distance)), significandY);
        var scaledX = new Float80((ushort)(Sign(x.IsNegative) | Bias), significandX);
        return FromResult(Math.Atan2(scaledY.ToDouble(), scaledX.ToDouble()), ref environment);
    }

    /// <summary>Two to the power of a value between -1 and 1, less one.</summary>
    public static Float80 PowerOfTwoLessOne(Float80 a, ref FloatEnvironment environment)
    {
        if (Propagates(a, ref environment, out Float80 result))
        {
            return result;
        }

        if (StopsAtDenormal(a, a, ref environment))
        {
            return DefaultNaN;
        }

        if (a.IsInfinity)
        {
            return a.IsNegative ? One.Negate() : a;
        }

        if (a.IsZero)
        {
            return a;
        }

        // Outside its domain the result is undefined.
        if (a.Exponent >= Bias)
        {
            return Inexact(a == One.Negate() ? FromDouble(-0.5) : a, ref environment);
        }

        FloatEnvironment wide = environment with { Precision = 64 };
        if (a.Exponent < Bias - 64)
        {
            result = Multiply(a, NaturalLogarithmOfTwo, ref wide);
            environment.Raised |= wide.Raised & FloatExceptions.Underflow;
            return Inexact(result, ref environment);
        }

        // Kahan's way: the error of the power is cancelled by that of its logarithm.
        double x = a.ToDouble() * Math.Log(2);
        double power = Math.Exp(x);
        double value = power == 1 ? x : (power - 1) * x / Math.Log(power);
        return FromResult(value, ref environment);
    }

    /// <summary><paramref name="y"/> times the binary logarithm of <paramref name="x"/>.</summary>
    public static Float80 MultiplyByLogarithm(Float80 x, Float80 y, ref FloatEnvironment environment)
    {
        if (Propagates(x, y, ref environment, out Float80 result))
        {
            return result;
        }

        bool isInvalid = (x.IsNegative && !x.IsZero) || (x.IsZero && y.IsZero) || (x.IsInfinity && y.IsZero)
            || (x == One && y.IsInfinity);
        if (isInvalid)
        {
            return Invalid(ref environment);
        }

        if (x.IsZero && !y.IsInfinity)
        {
            environment.Raised |= FloatExceptions.ZeroDivide;
            return Infinity(!y.IsNegative);
        }

        if (StopsAtDenormal(x, y, ref environment))
        {
            return DefaultNaN;
        }

        if (x.IsZero || x.IsInfinity || y.IsInfinity)
        {
            bool isSmall = !x.IsInfinity && x.Exponent < Bias;
            return Infinity(y.IsNegative != isSmall);
        }

        return x == One || y.IsZero
            ? Zero(y.IsNegative != (x.Exponent < Bias))
            : MultiplyInexactly(Logarithm(x), y, ref environment);
    }

    /// <summary><paramref name="y"/> times the binary logarithm of one plus <paramref name="x"/>.</summary>
    public static Float80 MultiplyByLogarithmOfOnePlus(Float80 x, Float80 y, ref FloatEnvironment environment)
    {
        if (Propagates(x, y, ref environment, out Float80 result))
        {
            return result;
        }

        FloatEnvironment exact = FloatEnvironment.Default;
        if ((x.IsZero && y.IsInfinity) || (x.IsInfinity && (y.IsZero || x.IsNegative)))
        {
            return Invalid(ref environment);
        }

        if (StopsAtDenormal(x, y, ref environment))
        {
            return DefaultNaN;
        }

        if (x.IsInfinity || y.IsInfinity)
        {
            return Infinity(x.IsNegative != y.IsNegative);
        }

        if (x.IsZero || y.IsZero)
        {
            return Zero(x.IsNegative != y.IsNegative);
        }

        if (Compare(x, One.Negate(), isQuiet: true, ref exact) == FloatOrder.Less)
        {
            // Far outside its domain the result is undefined.
            return Inexact(x, ref environment);
        }

        if (x == One.Negate())
        {
            environment.Raised |= FloatExceptions.ZeroDivide;
            return Infinity(!y.IsNegative);
        }

        return x.Exponent < Bias - 64 ? MultiplyByTiny(x, y, ref environment) : MultiplyInexactly(
            x.Exponent >= Bias - 1 ? Logarithm(Add(One, x, ref exact)) : LogarithmOfOnePlus(x), y, ref environment);
    }

    /// <summary>
    /// For an <paramref name="x"/> that is proportional to the logarithm of one plus it. Exponents are added last: the
    /// logarithm alone could be denormal.
    /// </summary>
    private static Float80 MultiplyByTiny(Float80 x, Float80 y, ref FloatEnvironment environment)
    {
        FloatEnvironment exact = FloatEnvironment.Default;
        (int exponentX, ulong significandX) = x.Normalize();
        (int exponentY, ulong significandY) = y.Normalize();
        Float80 product = Multiply(new Float80(Bias, significandX), BinaryLogarithmOfE, ref exact);
        product = Multiply(product, new Float80(Bias, significandY), ref exact);
        int exponent = product.Exponent + (exponentX - Bias) + (exponentY - Bias);

        // Bits that were lost are not zero.
        return NormalizeAndRound(
            x.IsNegative != y.IsNegative, exponent, ((UInt128)product.Significand << 64) + 1, 64, ref environment);
    }

    /// <summary>The binary logarithm of a positive number other than one.</summary>
    private static Float80 Logarithm(Float80 x)
    {
        FloatEnvironment exact = FloatEnvironment.Default;
        (int exponent, ulong significand) = x.Normalize();

        // The significand is brought between 3/4 and 3/2, so that nothing cancels near one.
        exponent -= Bias;
        ushort fraction = Bias;
        if (significand >= 0xC000_0000_0000_0000)
        {
            exponent++;
            fraction--;
        }

        Float80 distance = Subtract(new Float80(fraction, significand), One, ref exact);
        return distance.IsZero
            ? FromInt64(exponent)
            : Add(FromInt64(exponent), LogarithmOfOnePlus(distance), ref exact);
    }

    /// <summary>The binary logarithm of one plus a number between -1/2 and 1, also near zero.</summary>
    private static Float80 LogarithmOfOnePlus(Float80 x)
    {
        FloatEnvironment exact = FloatEnvironment.Default;
        double small = x.ToDouble();
        double sum = 1 + small;
        double natural = sum == 1 ? small : Math.Log(sum) * small / (sum - 1);
        return Multiply(FromDouble(natural), BinaryLogarithmOfE, ref exact);
    }

    private static Float80 MultiplyInexactly(Float80 a, Float80 b, ref FloatEnvironment environment)
    {
        FloatEnvironment wide = environment with { Precision = 64, Raised = FloatExceptions.None };
        Float80 result = Multiply(a, b, ref wide);
        environment.Raised |= wide.Raised & (FloatExceptions.Underflow | FloatExceptions.Overflow);
        environment.RoundedUp = wide.RoundedUp;
        return Inexact(result, ref environment);
    }

    private static bool IsSpecialAngle(Float80 a, ref FloatEnvironment environment, out Float80 result)
    {
        if (Propagates(a, ref environment, out result))
        {
            return true;
        }

        if (a.IsInfinity)
        {
            result = Invalid(ref environment);
            return true;
        }

        return StopsAtDenormal(a, a, ref environment);
    }

    private static Float80 Inexact(Float80 result, ref FloatEnvironment environment)
    {
        environment.Raised |= FloatExceptions.Precision
            | (result.Class == FloatClass.Denormal ? FloatExceptions.Underflow : FloatExceptions.None);
        return result;
    }

    /// <summary>Rounds what differs from a number by less than any bit: the result of a function that is the identity near zero.</summary>
    private static Float80 Beside(Float80 a, bool isAbove, ref FloatEnvironment environment)
    {
        (int exponent, ulong significand) = a.Normalize();
        UInt128 exact = (UInt128)significand << 64;
        return NormalizeAndRound(a.IsNegative, exponent, isAbove ? exact + 1 : exact - 1, 64, ref environment);
    }

    private static Float80 FromResult(double value, ref FloatEnvironment environment) =>
        Inexact(FromDouble(value), ref environment);

    private static Float80 FromDouble(double value)
    {
        FloatEnvironment exact = FloatEnvironment.Default;
        return From(BinaryFormat.Double, BitConverter.DoubleToUInt64Bits(value), ref exact);
    }

    private double ToDouble()
    {
        FloatEnvironment nearest = FloatEnvironment.Default;
        return BitConverter.UInt64BitsToDouble(To(BinaryFormat.Double, ref nearest));
    }

    /// <summary>
    /// Takes multiples of half of pi from the magnitude of an angle. What remains is between minus and plus a quarter of
    /// pi; the quadrant is how many were taken, from 0 to 3.
    /// </summary>
    private (double Angle, int Quadrant) Reduce()
    {
        int exponent = Exponent - Bias;
        if (exponent < -1)
        {
            return (Absolute().ToDouble(), 0);
        }

        // Both in units of two to the power of -65.
        (UInt128 quotient, UInt128 rest) = UInt128.DivRem((UInt128)Significand << (exponent + 2), HalfOfPi);
        bool isCloserToNext = rest > HalfOfPi / 2;
        double angle = Math.ScaleB((double)(isCloserToNext ? HalfOfPi - rest : rest), -65);
        return (isCloserToNext ? -angle : angle, ((int)(quotient & 3) + (isCloserToNext ? 1 : 0)) & 3);
    }

    /// <summary>A zero or infinity of the sign, or one for any other number.</summary>
    private double ToSign() => IsZero || IsInfinity ? ToDouble() : IsNegative ? -1 : 1;
}
