namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// What the arithmetic flags follow from in compiled code, which computes them only when they are read: the kind of the
/// instruction that set them last, combined with the size of its operands, and up to four values.
/// </summary>
internal enum FlagSource
{
    /// <summary>The processor's own fields have the flags.</summary>
    Processor = 0,

    /// <summary>A + B = result, perhaps with carry.</summary>
    Add = 1 << 4,

    /// <summary>A - B.</summary>
    Subtract = 2 << 4,

    /// <summary>A - B - borrow = result.</summary>
    SubtractWithBorrow = 3 << 4,

    /// <summary>The result; CF and OF are clear.</summary>
    Logic = 4 << 4,

    /// <summary>A + 1 = result; CF is kept apart.</summary>
    Increment = 5 << 4,

    /// <summary>A - 1 = result; CF is kept apart.</summary>
    Decrement = 6 << 4,

    /// <summary>A shifted by B is the result; B is not zero.</summary>
    ShiftLeft = 7 << 4,
    ShiftRight = 8 << 4,
    ShiftArithmetic = 9 << 4,

    /// <summary>The result; CF and OF are set if A is not zero.</summary>
    Product = 10 << 4,

    /// <summary>The part that tells the kind; the other is the size in bytes.</summary>
    KindMask = 0xF0,
    SizeMask = 0xF,

    /// <summary>Known only when the code runs: which it is, is in a variable.</summary>
    Dynamic = -1,
}
