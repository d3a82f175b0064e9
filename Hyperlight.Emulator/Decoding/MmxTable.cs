using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>Which instruction is which operation on MMX registers.</summary>
internal static class MmxTable
{
    private const byte Rdi = 7;

    /// <summary>Completes a translated instruction; false if it does not use MMX registers.</summary>
    public static bool TryTranslate(in Instruction instruction, ref MicroOp op)
    {
        if (!UsesMmx(in instruction) || Find(in instruction) is not { } found)
        {
            return false;
        }

        op.Op = Op.Mmx;
        op.Function = (ushort)found;
        if (found == MmxOp.MaskedStore)
        {
            // Its operands are memory at RDI, the data, and the mask: the last two become destination and source.
            op.Base = Rdi;
            op.Address32 = instruction.Op0Kind == OpKind.MemorySegEDI;
            op.DestinationRegister = (byte)(instruction.Op1Register - Register.MM0);
            op.SourceRegister = (byte)(instruction.Op2Register - Register.MM0);
        }

        return true;
    }

    private static bool UsesMmx(in Instruction instruction)
    {
        if (instruction.Code is Code.Emms or Code.Cvtpi2ps_xmm_mmm64 or Code.Cvtpi2pd_xmm_mmm64)
        {
            return true;
        }

        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i).IsMM())
            {
                return true;
            }
        }

        return false;
    }

    private static MmxOp? Find(in Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Movd or Mnemonic.Movq when instruction.Code is Code.Movd_mm_rm32 or Code.Movq_mm_rm64 => MmxOp.MoveFromGeneral,
        Mnemonic.Movd or Mnemonic.Movq when instruction.Code is Code.Movd_rm32_mm or Code.Movq_rm64_mm => MmxOp.MoveToGeneral,
        Mnemonic.Movq or Mnemonic.Movntq =>
            instruction.Op0Kind == OpKind.Register ? MmxOp.Move : MmxOp.Store,
        Mnemonic.Maskmovq => MmxOp.MaskedStore,
        Mnemonic.Movq2dq => MmxOp.MoveToXmm,
        Mnemonic.Movdq2q => MmxOp.MoveFromXmm,
        Mnemonic.Pinsrw => MmxOp.InsertWord,
        Mnemonic.Pextrw => MmxOp.ExtractWord,
        Mnemonic.Pmovmskb => MmxOp.ByteMask,
        Mnemonic.Emms => MmxOp.Empty,
        Mnemonic.Cvtpi2ps => MmxOp.ToSingles,
        Mnemonic.Cvtpi2pd => MmxOp.ToDoubles,
        Mnemonic.Cvtps2pi => MmxOp.FromSingles,
        Mnemonic.Cvttps2pi => MmxOp.FromSinglesTruncated,
        Mnemonic.Cvtpd2pi => MmxOp.FromDoubles,
        Mnemonic.Cvttpd2pi => MmxOp.FromDoublesTruncated,
        _ => FindArithmetic(instruction.Mnemonic) ?? FindMultiplication(instruction.Mnemonic)
            ?? FindArrangement(instruction.Mnemonic) ?? FindPairwise(instruction.Mnemonic),
    };

    private static MmxOp? FindArithmetic(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Paddb => MmxOp.AddBytes,
        Mnemonic.Paddw => MmxOp.AddWords,
        Mnemonic.Paddd => MmxOp.AddDoublewords,
        Mnemonic.Paddq => MmxOp.AddQuadwords,
        Mnemonic.Paddsb => MmxOp.AddSignedBytes,
        Mnemonic.Paddsw => MmxOp.AddSignedWords,
        Mnemonic.Paddusb => MmxOp.AddUnsignedBytes,
        Mnemonic.Paddusw => MmxOp.AddUnsignedWords,
        Mnemonic.Psubb => MmxOp.SubtractBytes,
        Mnemonic.Psubw => MmxOp.SubtractWords,
        Mnemonic.Psubd => MmxOp.SubtractDoublewords,
        Mnemonic.Psubq => MmxOp.SubtractQuadwords,
        Mnemonic.Psubsb => MmxOp.SubtractSignedBytes,
        Mnemonic.Psubsw => MmxOp.SubtractSignedWords,
        Mnemonic.Psubusb => MmxOp.SubtractUnsignedBytes,
        Mnemonic.Psubusw => MmxOp.SubtractUnsignedWords,
        Mnemonic.Pand => MmxOp.And,
        Mnemonic.Pandn => MmxOp.AndNot,
        Mnemonic.Por => MmxOp.Or,
        Mnemonic.Pxor => MmxOp.Xor,
        Mnemonic.Pcmpeqb => MmxOp.EqualBytes,
        Mnemonic.Pcmpeqw => MmxOp.EqualWords,
        Mnemonic.Pcmpeqd => MmxOp.EqualDoublewords,
        Mnemonic.Pcmpgtb => MmxOp.GreaterBytes,
        Mnemonic.Pcmpgtw => MmxOp.GreaterWords,
        Mnemonic.Pcmpgtd => MmxOp.GreaterDoublewords,
        Mnemonic.Pminub => MmxOp.MinimumBytes,
        Mnemonic.Pminsw => MmxOp.MinimumWords,
        Mnemonic.Pmaxub => MmxOp.MaximumBytes,
        Mnemonic.Pmaxsw => MmxOp.MaximumWords,
        Mnemonic.Pavgb => MmxOp.AverageBytes,
        Mnemonic.Pavgw => MmxOp.AverageWords,
        _ => null,
    };

    private static MmxOp? FindMultiplication(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Pmullw => MmxOp.MultiplyLow,
        Mnemonic.Pmulhw => MmxOp.MultiplyHigh,
        Mnemonic.Pmulhuw => MmxOp.MultiplyHighUnsigned,
        Mnemonic.Pmulhrsw => MmxOp.MultiplyHighRounded,
        Mnemonic.Pmuludq => MmxOp.MultiplyDoublewords,
        Mnemonic.Pmaddwd => MmxOp.MultiplyAdd,
        Mnemonic.Pmaddubsw => MmxOp.MultiplyAddBytes,
        Mnemonic.Psadbw => MmxOp.SumOfDifferences,
        _ => null,
    };

    private static MmxOp? FindArrangement(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Packsswb => MmxOp.PackSignedWords,
        Mnemonic.Packssdw => MmxOp.PackSignedDoublewords,
        Mnemonic.Packuswb => MmxOp.PackUnsignedWords,
        Mnemonic.Punpcklbw => MmxOp.UnpackLowBytes,
        Mnemonic.Punpcklwd => MmxOp.UnpackLowWords,
        Mnemonic.Punpckldq => MmxOp.UnpackLowDoublewords,
        Mnemonic.Punpckhbw => MmxOp.UnpackHighBytes,
        Mnemonic.Punpckhwd => MmxOp.UnpackHighWords,
        Mnemonic.Punpckhdq => MmxOp.UnpackHighDoublewords,
        Mnemonic.Psllw => MmxOp.ShiftLeftWords,
        Mnemonic.Pslld => MmxOp.ShiftLeftDoublewords,
        Mnemonic.Psllq => MmxOp.ShiftLeftQuadword,
        Mnemonic.Psrlw => MmxOp.ShiftRightWords,
        Mnemonic.Psrld => MmxOp.ShiftRightDoublewords,
        Mnemonic.Psrlq => MmxOp.ShiftRightQuadword,
        Mnemonic.Psraw => MmxOp.ShiftArithmeticWords,
        Mnemonic.Psrad => MmxOp.ShiftArithmeticDoublewords,
        Mnemonic.Pshufw => MmxOp.ShuffleWords,
        Mnemonic.Pshufb => MmxOp.ShuffleBytes,
        Mnemonic.Palignr => MmxOp.AlignRight,
        _ => null,
    };

    private static MmxOp? FindPairwise(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Phaddw => MmxOp.HorizontalAddWords,
        Mnemonic.Phaddd => MmxOp.HorizontalAddDoublewords,
        Mnemonic.Phaddsw => MmxOp.HorizontalAddSigned,
        Mnemonic.Phsubw => MmxOp.HorizontalSubtractWords,
        Mnemonic.Phsubd => MmxOp.HorizontalSubtractDoublewords,
        Mnemonic.Phsubsw => MmxOp.HorizontalSubtractSigned,
        Mnemonic.Pabsb => MmxOp.AbsoluteBytes,
        Mnemonic.Pabsw => MmxOp.AbsoluteWords,
        Mnemonic.Pabsd => MmxOp.AbsoluteDoublewords,
        Mnemonic.Psignb => MmxOp.SignBytes,
        Mnemonic.Psignw => MmxOp.SignWords,
        Mnemonic.Psignd => MmxOp.SignDoublewords,
        _ => null,
    };
}
