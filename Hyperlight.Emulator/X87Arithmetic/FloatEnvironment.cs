namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>Floating-point exceptions, as the status and control words and MXCSR number them.</summary>
[Flags]
internal enum FloatExceptions : byte
{
    None = 0,
    Invalid = 1,
    Denormal = 2,
    ZeroDivide = 4,
    Overflow = 8,
    Underflow = 16,
    Precision = 32,
    All = 63,
}

/// <summary>Rounding modes, as the control word and MXCSR encode them.</summary>
internal enum RoundingMode : byte
{
    Nearest,
    Down,
    Up,
    TowardZero,
}

/// <summary>What an operation depends on besides its operands, and what it reports besides its result.</summary>
internal struct FloatEnvironment
{
    public RoundingMode Rounding;

    /// <summary>Bits of the significand that results are rounded to: 24, 53 or 64.</summary>
    public byte Precision;

    /// <summary>Exceptions that have a default result; the others keep the operation from having one, or wrap its exponent.</summary>
    public FloatExceptions Masked;
    public FloatExceptions Raised;

    /// <summary>An operand was denormal in the format that it was loaded from, which this format does not show any more.</summary>
    public bool HasDenormalSource;

    /// <summary>The result is larger in magnitude than the exact one.</summary>
    public bool RoundedUp;

    /// <summary>Rounds to nearest and to 64 bits, with every exception masked.</summary>
    public static FloatEnvironment Default => new() { Precision = 64, Masked = FloatExceptions.All };

    /// <summary>An unmasked exception of the operands was raised: there is no result.</summary>
    public readonly bool HasNoResult =>
        (Raised & ~Masked & (FloatExceptions.Invalid | FloatExceptions.Denormal | FloatExceptions.ZeroDivide)) != 0;

    /// <summary>An unmasked exception was raised of those that keep a value from being loaded.</summary>
    public readonly bool IsInvalid => (Raised & ~Masked & FloatExceptions.Invalid) != 0;

    public readonly bool IsMasked(FloatExceptions exception) => (Masked & exception) != 0;

    /// <summary>Raises an exception of an operand, and says whether the operation must end without a result.</summary>
    public bool Stops(FloatExceptions exception)
    {
        Raised |= exception;
        return !IsMasked(exception);
    }
}
