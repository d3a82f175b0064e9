namespace Hyperlight.Emulator.X87Arithmetic;

/// <summary>The constants that the x87 loads, in the order of their opcodes.</summary>
internal enum X87Constant : byte
{
    One,
    BinaryLogarithmOfTen,
    BinaryLogarithmOfE,
    Pi,
    DecimalLogarithmOfTwo,
    NaturalLogarithmOfTwo,
    Zero,
}

/// <summary>Their values.</summary>
internal readonly partial record struct Float80
{
    /// <summary>Rounds a constant, which the processor holds to more than 64 bits. Nothing is raised.</summary>
    public static Float80 Constant(X87Constant constant, RoundingMode mode)
    {
        (int exponent, ulong significand, bool isCloserToNext) = constant switch
        {
            X87Constant.One => (Bias, IntegerBit, false),
            X87Constant.BinaryLogarithmOfTen => (0x4000, 0xD49A_784B_CD1B_8AFE, false),
            X87Constant.BinaryLogarithmOfE => (0x3FFF, 0xB8AA_3B29_5C17_F0BB, true),
            X87Constant.Pi => (0x4000, 0xC90F_DAA2_2168_C234, true),
            X87Constant.DecimalLogarithmOfTwo => (0x3FFD, 0x9A20_9A84_FBCF_F798, true),
            X87Constant.NaturalLogarithmOfTwo => (0x3FFE, 0xB172_17F7_D1CF_79AB, true),
            _ => (0, 0UL, false),
        };
        bool isExact = constant is X87Constant.One or X87Constant.Zero;
        bool isUp = !isExact && (mode == RoundingMode.Up || (mode == RoundingMode.Nearest && isCloserToNext));
        return new Float80((ushort)exponent, isUp ? significand + 1 : significand);
    }
}
