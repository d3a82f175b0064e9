namespace Hyperlight.Emulator.Decoding;

/// <summary>What an instruction on XMM registers does, where <see cref="Op"/> is <see cref="Op.Vector"/>.</summary>
/// <remarks>
/// Integer instructions are named by their mnemonics. Those on floating-point numbers are named by what they do, and
/// <see cref="VectorForm"/> says to which elements. Each line, or run of lines, is what one handler executes.
/// </remarks>
internal enum VectorOp : byte
{
    // Moves.
    MoveAligned, MoveUnaligned, MoveScalar, MoveQuadword, MoveLow, MoveHigh, MoveHighToLow, MoveLowToHigh,
    MoveGeneral, MoveSignMask, MoveByteMask, MaskedStore,
    DuplicateEven, DuplicateOdd, DuplicateLow,
    InsertByte, InsertWord, InsertDoubleword, InsertQuadword, InsertSingle,
    ExtractByte, ExtractWord, ExtractDoubleword, ExtractQuadword,
    LoadMxcsr, StoreMxcsr,

    // Floating-point numbers.
    Add, Subtract, Multiply, Divide, SquareRoot, Minimum, Maximum, Compare,
    OrderedCompare, UnorderedCompare,
    AddSubtract, HorizontalAdd, HorizontalSubtract, DotProduct, Round, Reciprocal, ReciprocalSquareRoot,

    // Conversions: from an integer in a general register, to one, and between vectors.
    ConvertFromGeneral, ConvertToGeneral, TruncateToGeneral,
    Cvtdq2ps, Cvtps2dq, Cvttps2dq, Cvtdq2pd, Cvtpd2dq, Cvttpd2dq, Cvtps2pd, Cvtpd2ps, Cvtss2sd, Cvtsd2ss,

    // Logic.
    Pand, Pandn, Por, Pxor,

    // Integer arithmetic.
    Paddb, Paddw, Paddd, Paddq, Paddsb, Paddsw, Paddusb, Paddusw,
    Psubb, Psubw, Psubd, Psubq, Psubsb, Psubsw, Psubusb, Psubusw,
    Pavgb, Pavgw, Pabsb, Pabsw, Pabsd, Psignb, Psignw, Psignd,
    Pmaxsb, Pmaxsw, Pmaxsd, Pmaxub, Pmaxuw, Pmaxud, Pminsb, Pminsw, Pminsd, Pminub, Pminuw, Pminud,
    Pcmpeqb, Pcmpeqw, Pcmpeqd, Pcmpeqq, Pcmpgtb, Pcmpgtw, Pcmpgtd, Pcmpgtq,

    // Products and sums across elements.
    Pmullw, Pmulld, Pmulhw, Pmulhuw, Pmulhrsw, Pmuldq, Pmuludq, Pmaddwd, Pmaddubsw, Psadbw, Phminposuw, Mpsadbw,
    Phaddw, Phaddd, Phaddsw, Phsubw, Phsubd, Phsubsw,

    // Shifts.
    Psllw, Pslld, Psllq, Psrlw, Psrld, Psrlq, Psraw, Psrad, Pslldq, Psrldq,

    // Rearrangements.
    Packsswb, Packssdw, Packuswb, Packusdw,
    Punpcklbw, Punpcklwd, Punpckldq, Punpcklqdq, Punpckhbw, Punpckhwd, Punpckhdq, Punpckhqdq,
    Pshufb, Pshufd, Pshuflw, Pshufhw, Shufps, Shufpd, Palignr,
    Pblendvb, Blendvps, Blendvpd, Pblendw, Blendps, Blendpd,
    Pmovsxbw, Pmovsxbd, Pmovsxbq, Pmovsxwd, Pmovsxwq, Pmovsxdq,
    Pmovzxbw, Pmovzxbd, Pmovzxbq, Pmovzxwd, Pmovzxwq, Pmovzxdq,

    // What sets flags.
    Ptest, Pcmpestri, Pcmpestrm, Pcmpistri, Pcmpistrm,
}

/// <summary>The elements of a floating-point instruction.</summary>
internal enum VectorForm : byte
{
    None,
    PackedSingle,
    PackedDouble,
    ScalarSingle,
    ScalarDouble,
}
