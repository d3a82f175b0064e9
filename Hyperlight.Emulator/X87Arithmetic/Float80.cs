using System.Numerics;

namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>
/// The 80-bit format of the x87: 64 bits of significand with an explicit integer bit, 15 bits of exponent, a sign. Computed
/// with integers only, so that results are those of the processor on every host.
/// </summary>
/// <param name="SignExponent">The sign in bit 15, and the biased exponent.</param>
/// <param name="Significand">The significand; bit 63 is the integer bit.</param>
internal readonly partial record struct Float80(ushort SignExponent, ulong Significand)
{
    public const int Bias = 0x3FFF;
    public const int MaximumExponent = 0x7FFF;
    public const ulong IntegerBit = 1UL << 63;
    private const ulong QuietBit = 1UL << 62;
    private const ushort SignBit = 0x8000;

    /// <summary>The "real indefinite", the result of invalid operations.</summary>
    public static readonly Float80 DefaultNaN = new(0xFFFF, IntegerBit | QuietBit);
    public static readonly Float80 One = new(Bias, IntegerBit);

    public bool IsNegative => (SignExponent & SignBit) != 0;

    public int Exponent => SignExponent & MaximumExponent;

    public FloatClass Class => Exponent switch
    {
        0 => Significand == 0 ? FloatClass.Zero : FloatClass.Denormal,
        _ when (Significand & IntegerBit) == 0 => FloatClass.Unsupported,
        MaximumExponent => Significand == IntegerBit ? FloatClass.Infinity
            : (Significand & QuietBit) != 0 ? FloatClass.QuietNaN : FloatClass.SignalingNaN,
        _ => FloatClass.Normal,
    };

    public bool IsNaN => Class is FloatClass.QuietNaN or FloatClass.SignalingNaN;

    private bool IsZero => Class == FloatClass.Zero;

    private bool IsInfinity => Class == FloatClass.Infinity;

    public static Float80 Zero(bool isNegative) => new(Sign(isNegative), 0);

    public static Float80 Infinity(bool isNegative) => new((ushort)(Sign(isNegative) | MaximumExponent), IntegerBit);

    public Float80 Negate() => this with { SignExponent = (ushort)(SignExponent ^ SignBit) };

    public Float80 Absolute() => this with { SignExponent = (ushort)Exponent };

    private static ushort Sign(bool isNegative) => isNegative ? SignBit : (ushort)0;

    /// <summary>Exponent and significand of a finite number other than zero, as if it were normal.</summary>
    private (int Exponent, ulong Significand) Normalize()
    {
        int shift = BitOperations.LeadingZeroCount(Significand);
        return (Math.Max(Exponent, 1) - shift, Significand << shift);
    }
}
