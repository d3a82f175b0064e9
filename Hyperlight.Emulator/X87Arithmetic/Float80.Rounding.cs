namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>From an exact result to the one that is stored.</summary>
internal readonly partial record struct Float80
{
    /// <summary>
    /// What the exponent of a result is moved by when overflow or underflow is not masked. After scaling, that may be too
    /// little: the result is infinity or zero then.
    /// </summary>
    private const int ExponentWrap = 0x6000;

    /// <summary>Rounds a number whose significand has its highest bit set.</summary>
    private static Float80 Round(bool isNegative, int exponent, UInt128 value, int precision, ref FloatEnvironment environment)
    {
        var rounding = new SignificandRounding(isNegative, value, precision, environment.Rounding);

        // Tiny is what would be below the smallest normal number if the exponent were not limited.
        bool isTiny = exponent < 0 || (exponent == 0 && !rounding.Carries);
        if (isTiny && !environment.IsMasked(FloatExceptions.Underflow))
        {
            environment.Raised |= FloatExceptions.Underflow;
            exponent += ExponentWrap;
            if (exponent <= 0)
            {
                environment.Raised |= FloatExceptions.Precision;
                return Zero(isNegative);
            }
        }
        else if (exponent <= 0)
        {
            return RoundDenormal(isNegative, exponent, value, precision, isTiny, ref environment);
        }

        ulong significand = rounding.Significand;
        if (rounding.Carries)
        {
            significand = IntegerBit;
            exponent++;
        }

        if (exponent >= MaximumExponent)
        {
            environment.Raised |= FloatExceptions.Overflow;
            if (environment.IsMasked(FloatExceptions.Overflow))
            {
                return Overflow(isNegative, precision, ref environment);
            }

            exponent -= ExponentWrap;
            if (exponent >= MaximumExponent)
            {
                environment.Raised |= FloatExceptions.Precision;
                environment.RoundedUp = true;
                return Infinity(isNegative);
            }
        }

        NoteInexact(in rounding, ref environment);
        return new Float80((ushort)(Sign(isNegative) | exponent), significand);
    }

    private static Float80 RoundDenormal(
        bool isNegative, int exponent, UInt128 value, int precision, bool isTiny, ref FloatEnvironment environment)
    {
        value = SignificandRounding.ShiftRight(value, 1 - exponent);
        var rounding = new SignificandRounding(isNegative, value, precision, environment.Rounding);
        NoteInexact(in rounding, ref environment);
        if (rounding.IsInexact && isTiny)
        {
            environment.Raised |= FloatExceptions.Underflow;
        }

        // The integer bit, once rounding reached it, is that of the smallest normal number.
        return new Float80((ushort)(Sign(isNegative) | (int)(rounding.Significand >> 63)), rounding.Significand);
    }

    private static Float80 Overflow(bool isNegative, int precision, ref FloatEnvironment environment)
    {
        environment.Raised |= FloatExceptions.Precision;
        environment.RoundedUp = OverflowsToInfinity(isNegative, environment.Rounding);
        return environment.RoundedUp
            ? Infinity(isNegative)
            : new Float80((ushort)(Sign(isNegative) | (MaximumExponent - 1)), ulong.MaxValue << (64 - precision));
    }

    private static bool OverflowsToInfinity(bool isNegative, RoundingMode mode) => mode switch
    {
        RoundingMode.Nearest => true,
        RoundingMode.Down => isNegative,
        RoundingMode.Up => !isNegative,
        _ => false,
    };

    private static void NoteInexact(in SignificandRounding rounding, ref FloatEnvironment environment)
    {
        if (rounding.IsInexact)
        {
            environment.Raised |= FloatExceptions.Precision;
            environment.RoundedUp = rounding.IsUp;
        }
    }
}
