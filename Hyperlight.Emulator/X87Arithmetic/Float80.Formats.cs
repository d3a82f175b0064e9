namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Conversion from and to the shorter formats.</summary>
internal readonly partial record struct Float80
{
    /// <summary>
    /// What loading a value of memory as such makes of it: a signaling NaN becomes quiet. A denormal is loaded also when
    /// its exception is not masked.
    /// </summary>
    public static Float80 Load(Float80 converted, ref FloatEnvironment environment)
    {
        environment.Raised |= environment.HasDenormalSource ? FloatExceptions.Denormal : FloatExceptions.None;
        return Propagates(converted, ref environment, out Float80 quiet) ? quiet : converted;
    }

    /// <summary>Converts a value of memory, exactly. The environment is told of a denormal; the operation it is for raises.</summary>
    public static Float80 From(BinaryFormat format, ulong bits, ref FloatEnvironment environment)
    {
        bool isNegative = (bits >> (format.ExponentBits + format.FractionBits) & 1) != 0;
        int exponent = (int)(bits >> format.FractionBits) & format.MaximumExponent;
        ulong fraction = bits << (64 - format.FractionBits) >> 1;
        if (exponent == format.MaximumExponent)
        {
            return new Float80((ushort)(Sign(isNegative) | MaximumExponent), IntegerBit | fraction);
        }

        if (exponent != 0)
        {
            return new Float80((ushort)(Sign(isNegative) | (exponent - format.Bias + Bias)), IntegerBit | fraction);
        }

        if (fraction == 0)
        {
            return Zero(isNegative);
        }

        environment.HasDenormalSource = true;
        int shift = System.Numerics.BitOperations.LeadingZeroCount(fraction);
        return new Float80((ushort)(Sign(isNegative) | (1 - format.Bias + Bias - shift)), fraction << shift);
    }

    /// <summary>Rounds to a value of memory. There is none if an exception that is not masked, other than for precision, was raised.</summary>
    public ulong To(BinaryFormat format, ref FloatEnvironment environment)
    {
        switch (Class)
        {
            case FloatClass.Zero:
                return format.Pack(IsNegative, 0, 0);
            case FloatClass.Infinity:
                return format.Pack(IsNegative, format.MaximumExponent, 0);
            case FloatClass.Unsupported or FloatClass.QuietNaN or FloatClass.SignalingNaN:
                Propagates(this, ref environment, out Float80 quiet);
                return format.Pack(quiet.IsNegative, format.MaximumExponent, quiet.Significand);
            default:
                return RoundTo(format, ref environment);
        }
    }

    private ulong RoundTo(BinaryFormat format, ref FloatEnvironment environment)
    {
        (int exponent, ulong significand) = Normalize();
        exponent += format.Bias - Bias;
        UInt128 value = (UInt128)significand << 64;
        var rounding = new SignificandRounding(IsNegative, value, format.Precision, environment.Rounding);
        bool isTiny = exponent < 0 || (exponent == 0 && !rounding.Carries);
        if (isTiny && !environment.IsMasked(FloatExceptions.Underflow))
        {
            environment.Raised |= FloatExceptions.Underflow;
            return 0;
        }

        if (exponent <= 0)
        {
            value = SignificandRounding.ShiftRight(value, 1 - exponent);
            rounding = new SignificandRounding(IsNegative, value, format.Precision, environment.Rounding);
            exponent = (int)(rounding.Significand >> 63);
            if (rounding.IsInexact && isTiny)
            {
                environment.Raised |= FloatExceptions.Underflow;
            }
        }
        else if (rounding.Carries)
        {
            exponent++;
        }

        if (exponent >= format.MaximumExponent)
        {
            return OverflowTo(format, ref environment);
        }

        NoteInexact(in rounding, ref environment);
        return format.Pack(IsNegative, exponent, rounding.Significand);
    }

    private ulong OverflowTo(BinaryFormat format, ref FloatEnvironment environment)
    {
        environment.Raised |= FloatExceptions.Overflow;
        if (!environment.IsMasked(FloatExceptions.Overflow))
        {
            return 0;
        }

        environment.Raised |= FloatExceptions.Precision;
        environment.RoundedUp = OverflowsToInfinity(IsNegative, environment.Rounding);
        return environment.RoundedUp
            ? format.Pack(IsNegative, format.MaximumExponent, 0)
            : format.Pack(IsNegative, format.MaximumExponent - 1, ulong.MaxValue);
    }
}
