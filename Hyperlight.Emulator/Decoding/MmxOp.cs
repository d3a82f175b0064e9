namespace Hyperlight.Emulator.Decoding;

/// <summary>What an instruction on MMX registers does.</summary>
internal enum MmxOp : byte
{
    // Moves.
    MoveFromGeneral, MoveToGeneral, Move, Store, MaskedStore, MoveToXmm, MoveFromXmm, InsertWord, ExtractWord, ByteMask, Empty,

    // Conversions between integers here and floating-point numbers in XMM registers.
    ToSingles, ToDoubles, FromSingles, FromSinglesTruncated, FromDoubles, FromDoublesTruncated,

    // The others take a register and a register or memory, and give a register.
    AddBytes, AddWords, AddDoublewords, AddQuadwords, AddSignedBytes, AddSignedWords, AddUnsignedBytes, AddUnsignedWords,
    SubtractBytes, SubtractWords, SubtractDoublewords, SubtractQuadwords,
    SubtractSignedBytes, SubtractSignedWords, SubtractUnsignedBytes, SubtractUnsignedWords,
    And, AndNot, Or, Xor,
    EqualBytes, EqualWords, EqualDoublewords, GreaterBytes, GreaterWords, GreaterDoublewords,
    MinimumBytes, MinimumWords, MaximumBytes, MaximumWords, AverageBytes, AverageWords,
    MultiplyLow, MultiplyHigh, MultiplyHighUnsigned, MultiplyHighRounded, MultiplyDoublewords,
    MultiplyAdd, MultiplyAddBytes, SumOfDifferences,
    PackSignedWords, PackSignedDoublewords, PackUnsignedWords,
    UnpackLowBytes, UnpackLowWords, UnpackLowDoublewords, UnpackHighBytes, UnpackHighWords, UnpackHighDoublewords,
    ShiftLeftWords, ShiftLeftDoublewords, ShiftLeftQuadword, ShiftRightWords, ShiftRightDoublewords, ShiftRightQuadword,
    ShiftArithmeticWords, ShiftArithmeticDoublewords,
    ShuffleWords, ShuffleBytes, AlignRight,
    HorizontalAddWords, HorizontalAddDoublewords, HorizontalAddSigned,
    HorizontalSubtractWords, HorizontalSubtractDoublewords, HorizontalSubtractSigned,
    AbsoluteBytes, AbsoluteWords, AbsoluteDoublewords, SignBytes, SignWords, SignDoublewords,
}
