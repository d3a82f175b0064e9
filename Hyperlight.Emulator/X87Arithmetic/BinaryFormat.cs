namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>A floating-point format of memory with a hidden integer bit.</summary>
/// <param name="Precision">Bits of the significand, with the hidden one.</param>
/// <param name="ExponentBits">Bits of the exponent.</param>
internal readonly record struct BinaryFormat(int Precision, int ExponentBits)
{
    public static BinaryFormat Single => new(24, 8);

    public static BinaryFormat Double => new(53, 11);

    public int Bias => (1 << (ExponentBits - 1)) - 1;

    public int MaximumExponent => (1 << ExponentBits) - 1;

    public int FractionBits => Precision - 1;

    /// <summary>Puts a value together.</summary>
    /// <param name="isNegative">The sign.</param>
    /// <param name="exponent">The biased exponent.</param>
    /// <param name="significand">The significand with its integer bit in bit 63, which is left out.</param>
    public ulong Pack(bool isNegative, int exponent, ulong significand) =>
        ((isNegative ? 1UL : 0) << (ExponentBits + FractionBits))
        | ((ulong)exponent << FractionBits)
        | (significand << 1 >> (64 - FractionBits));
}
