namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>Exceptions of floating-point arithmetic, with the bits that MXCSR has for them.</summary>
[Flags]
internal enum FloatExceptions : uint
{
    None = 0,
    Invalid = 1,
    Denormal = 2,
    DivideByZero = 4,
    Overflow = 8,
    Underflow = 16,
    Precision = 32,

    /// <summary>Those that the operands cause, before anything is computed.</summary>
    BeforeComputation = Invalid | Denormal | DivideByZero,
    All = 63,
}

/// <summary>How to round, numbered as in MXCSR and in the immediate operand of ROUNDPS.</summary>
internal enum RoundingMode
{
    Nearest,
    Down,
    Up,
    TowardsZero,
}

/// <summary>The part of MXCSR that controls arithmetic, and the exceptions that were met since.</summary>
internal struct FloatEnvironment(uint mxcsr)
{
    private const uint DenormalsAreZeroBit = 1 << 6;
    private const int MaskShift = 7;
    private const int RoundingShift = 13;
    private const uint FlushToZeroBit = 1 << 15;

    public FloatExceptions Raised;

    public RoundingMode Rounding = (RoundingMode)(mxcsr >> RoundingShift & 3);

    /// <summary>Exceptions that have a default result instead of a handler.</summary>
    public readonly FloatExceptions Masked => (FloatExceptions)(mxcsr >> MaskShift) & FloatExceptions.All;

    public readonly bool DenormalsAreZero => (mxcsr & DenormalsAreZeroBit) != 0;

    /// <summary>Tiny results become zero, which needs the underflow exception to be masked.</summary>
    public readonly bool FlushesToZero => (mxcsr & FlushToZeroBit) != 0 && IsMasked(FloatExceptions.Underflow);

    /// <summary>
    /// Whether the host's arithmetic gives the result where neither the operands nor the result are special: .NET code always
    /// rounds to nearest, and an inexact result must not need a handler.
    /// </summary>
    public readonly bool UsesHost => Rounding == RoundingMode.Nearest && IsMasked(FloatExceptions.Precision);

    /// <summary>Whether it is still unknown that a result was inexact: the flag stays set once it is.</summary>
    public readonly bool WantsPrecision => (((FloatExceptions)mxcsr | Raised) & FloatExceptions.Precision) == 0;

    public readonly bool IsMasked(FloatExceptions exception) => (Masked & exception) != 0;

    public void Raise(FloatExceptions exceptions) => Raised |= exceptions;
}
