using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>Which instruction is which operation on XMM registers.</summary>
internal static class VectorTable
{
    /// <summary>Completes a translated instruction; false if it is none of SSE to SSE4.2 on XMM registers.</summary>
    public static bool TryTranslate(in Instruction instruction, ref MicroOp op)
    {
        if (UsesMmx(in instruction) || instruction.Encoding != EncodingKind.Legacy
            || (Find(instruction.Mnemonic) ?? VectorFloatTable.Find(instruction.Mnemonic)) is not { } found)
        {
            return false;
        }

        op.Op = Op.Vector;
        (op.Vector, op.Form) = found;
        switch (instruction.Code)
        {
            case Code.Movq_xmm_rm64 or Code.Movq_rm64_xmm:
                op.Vector = VectorOp.MoveGeneral;
                break;
            case Code.Pcmpestri64_xmm_xmmm128_imm8 or Code.Pcmpestrm64_xmm_xmmm128_imm8:
                // The lengths in RAX and RDX are 64 bits wide.
                op.Size = 8;
                break;
            case Code.Maskmovdqu_rDI_xmm_xmm:
                TranslateMaskedStore(in instruction, ref op);
                break;
        }

        return true;
    }

    private static bool UsesMmx(in Instruction instruction)
    {
        for (int i = 0; i < instruction.OpCount; i++)
        {
            if (instruction.GetOpKind(i) == OpKind.Register && instruction.GetOpRegister(i).IsMM())
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Its operands are memory at RDI, the data, and the mask: the last two become destination and source.</summary>
    private static void TranslateMaskedStore(in Instruction instruction, ref MicroOp op)
    {
        op.Base = 7;
        op.Address32 = instruction.Op0Kind == OpKind.MemorySegEDI;
        op.DestinationRegister = (byte)(instruction.Op1Register - Register.XMM0);
        op.SourceRegister = (byte)(instruction.Op2Register - Register.XMM0);
    }

    private static (VectorOp Op, VectorForm Form)? Find(Mnemonic mnemonic) =>
        FindMove(mnemonic) is { } move ? (move, MoveForm(mnemonic))
        : VectorIntegerTable.Find(mnemonic) is { } integer ? (integer, VectorForm.None)
        : null;

    private static VectorOp? FindMove(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Movaps or Mnemonic.Movapd or Mnemonic.Movdqa or Mnemonic.Movntps or Mnemonic.Movntpd
            or Mnemonic.Movntdq or Mnemonic.Movntdqa => VectorOp.MoveAligned,
        Mnemonic.Movups or Mnemonic.Movupd or Mnemonic.Movdqu or Mnemonic.Lddqu => VectorOp.MoveUnaligned,
        Mnemonic.Movss or Mnemonic.Movsd => VectorOp.MoveScalar,
        Mnemonic.Movq => VectorOp.MoveQuadword,
        Mnemonic.Movlps or Mnemonic.Movlpd => VectorOp.MoveLow,
        Mnemonic.Movhps or Mnemonic.Movhpd => VectorOp.MoveHigh,
        Mnemonic.Movhlps => VectorOp.MoveHighToLow,
        Mnemonic.Movlhps => VectorOp.MoveLowToHigh,
        Mnemonic.Movd => VectorOp.MoveGeneral,
        Mnemonic.Movmskps or Mnemonic.Movmskpd => VectorOp.MoveSignMask,
        Mnemonic.Pmovmskb => VectorOp.MoveByteMask,
        Mnemonic.Maskmovdqu => VectorOp.MaskedStore,
        Mnemonic.Movsldup => VectorOp.DuplicateEven,
        Mnemonic.Movshdup => VectorOp.DuplicateOdd,
        Mnemonic.Movddup => VectorOp.DuplicateLow,
        Mnemonic.Pinsrb => VectorOp.InsertByte,
        Mnemonic.Pinsrw => VectorOp.InsertWord,
        Mnemonic.Pinsrd => VectorOp.InsertDoubleword,
        Mnemonic.Pinsrq => VectorOp.InsertQuadword,
        Mnemonic.Insertps => VectorOp.InsertSingle,
        Mnemonic.Pextrb => VectorOp.ExtractByte,
        Mnemonic.Pextrw => VectorOp.ExtractWord,
        Mnemonic.Pextrd or Mnemonic.Extractps => VectorOp.ExtractDoubleword,
        Mnemonic.Pextrq => VectorOp.ExtractQuadword,
        Mnemonic.Ldmxcsr => VectorOp.LoadMxcsr,
        Mnemonic.Stmxcsr => VectorOp.StoreMxcsr,
        _ => null,
    };

    private static VectorForm MoveForm(Mnemonic mnemonic) => mnemonic switch
    {
        Mnemonic.Movss => VectorForm.ScalarSingle,
        Mnemonic.Movsd => VectorForm.ScalarDouble,
        Mnemonic.Movmskps => VectorForm.PackedSingle,
        Mnemonic.Movmskpd => VectorForm.PackedDouble,
        _ => VectorForm.None,
    };
}
