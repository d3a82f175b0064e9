namespace Hyperlight.Emulator.Decoding;

/// <summary>What an x87 instruction does.</summary>
internal enum X87Op : byte
{
    Load, LoadDecimal, LoadConstant, Store, StoreTruncated, StoreDecimal, Exchange, ConditionalMove,
    Add, Multiply, Subtract, Divide,
    Compare, CompareQuietly, CompareToFlags, CompareQuietlyToFlags, Test, Examine,
    ChangeSign, Absolute, SquareRoot, RoundToInteger, Extract, Scale, Remainder, RemainderNearest,
    Sine, Cosine, SineCosine, Tangent, ArcTangent, PowerOfTwo, Logarithm, LogarithmOfOnePlus,

    // They change no value, but the pointers to the last instruction point to them.
    Nop, Free, IncrementTop, DecrementTop,

    // Control instructions: they leave no trace in the pointers to the last instruction.
    Wait, LoadControl, LoadEnvironment, Restore,

    // Control instructions that do not wait for exceptions.
    Initialize, ClearExceptions, StoreControl, StoreStatus, StoreEnvironment, Save, NopWithoutWait,
}

/// <summary>Variants of an <see cref="X87Op"/>, above it in <see cref="MicroOp.Function"/>.</summary>
[Flags]
internal enum X87Form : ushort
{
    None = 0,
    OperationMask = 0xFF,

    /// <summary>The operand in memory is an integer.</summary>
    Integer = 0x100,
    Pop = 0x200,
    PopTwice = 0x400,

    /// <summary>The operands of a subtraction or division change places.</summary>
    Reverse = 0x800,

    /// <summary>Does not mind that the register is empty: an undocumented variant.</summary>
    Unchecked = 0x1000,
}
