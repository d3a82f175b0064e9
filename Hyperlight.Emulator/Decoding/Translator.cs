using Iced.Intel;

namespace Hyperlight.Emulator.Decoding;

/// <summary>Turns a decoded instruction into what the interpreter executes.</summary>
internal static class Translator
{
    public static MicroOp Translate(in Instruction instruction)
    {
        var op = new MicroOp
        {
            Op = OpTable.Find(in instruction),
            NextRip = instruction.NextIP,
            Length = (byte)instruction.Length,
            Base = MicroOp.ZeroRegister,
            Index = MicroOp.ZeroRegister,
            Repeat = instruction.HasRepePrefix ? Repeat.WhileEqual
                : instruction.HasRepnePrefix ? Repeat.WhileNotEqual : Repeat.None,
        };
        if (instruction.ConditionCode != ConditionCode.None)
        {
            op.Condition = (byte)(instruction.ConditionCode - ConditionCode.o);
        }

        for (int i = 0; i < instruction.OpCount; i++)
        {
            TranslateOperand(in instruction, i, ref op);
        }

        FixSize(in instruction, ref op);

        // MOVSD and CMPSD are names of string instructions as well.
        if (op.Op is (Op.Invalid or Op.Movs or Op.Cmps) && !instruction.IsStringInstruction)
        {
            _ = VectorTable.TryTranslate(in instruction, ref op)
                || X87Table.TryTranslate(in instruction, ref op)
                || MmxTable.TryTranslate(in instruction, ref op);
        }

        return op;
    }

    private static void TranslateOperand(in Instruction instruction, int index, ref MicroOp op)
    {
        OperandKind kind;
        byte register = 0;
        int size = 0;
        switch (instruction.GetOpKind(index))
        {
            case OpKind.Register:
                Register name = instruction.GetOpRegister(index);
                kind = name is >= Register.AH and <= Register.BH ? OperandKind.HighByte : OperandKind.Register;
                register = RegisterIndex(name);
                size = name.GetSize();
                break;
            case OpKind.NearBranch16 or OpKind.NearBranch32 or OpKind.NearBranch64:
                kind = OperandKind.Immediate;
                op.Immediate = instruction.NearBranchTarget;
                break;
            case >= OpKind.Immediate8 and <= OpKind.Immediate32to64:
                kind = OperandKind.Immediate;
                op.Immediate = instruction.GetImmediate(index);
                break;
            default:
                kind = OperandKind.Memory;
                size = instruction.MemorySize.GetSize();
                TranslateAddress(in instruction, ref op);
                break;
        }

        switch (index)
        {
            case 0:
                op.Destination = kind;
                op.DestinationRegister = register;
                op.Size = (byte)size;
                break;
            case 1:
                op.Source = kind;
                op.SourceRegister = register;
                op.SourceSize = (byte)size;
                break;
            default:
                op.HasThirdOperand = kind == OperandKind.Immediate;
                break;
        }
    }

    private static void TranslateAddress(in Instruction instruction, ref MicroOp op)
    {
        Register address = instruction.MemoryBase;
        op.Displacement = instruction.MemoryDisplacement64;

        // The displacement of a RIP-relative operand is the whole address already.
        if (address is not (Register.None or Register.RIP or Register.EIP))
        {
            op.Base = RegisterIndex(address);
        }

        if (instruction.MemoryIndex != Register.None)
        {
            op.Index = RegisterIndex(instruction.MemoryIndex);
            op.Scale = (byte)(instruction.MemoryIndexScale switch { 2 => 1, 4 => 2, 8 => 3, _ => 0 });
        }

        op.Segment = instruction.MemorySegment switch { Register.FS => 4, Register.GS => 5, _ => 0 };
        op.Address32 = address.GetSize() == 4 || instruction.MemoryIndex.GetSize() == 4
            || instruction.GetOpKind(0) is OpKind.MemorySegESI or OpKind.MemoryESEDI or OpKind.MemorySegEDI
            || (instruction.OpCount > 1 && instruction.GetOpKind(1) is OpKind.MemorySegESI or OpKind.MemoryESEDI);
    }

    /// <summary>Index among registers of a kind, in encoding order.</summary>
    private static byte RegisterIndex(Register name)
    {
        if (name.IsGPR())
        {
            return (byte)(name.GetFullRegister() - Register.RAX);
        }

        if (name.IsSegmentRegister())
        {
            return (byte)(name - Register.ES);
        }

        return name switch
        {
            >= Register.CR0 and <= Register.CR15 => (byte)(name - Register.CR0),
            >= Register.DR0 and <= Register.DR15 => (byte)(name - Register.DR0),
            >= Register.ST0 and <= Register.ST7 => (byte)(name - Register.ST0),
            >= Register.MM0 and <= Register.MM7 => (byte)(name - Register.MM0),
            >= Register.XMM0 and <= Register.XMM15 => (byte)(name - Register.XMM0),
            _ => 0,
        };
    }

    /// <summary>Sizes that no operand tells.</summary>
    private static void FixSize(in Instruction instruction, ref MicroOp op)
    {
        op.Size = op.Op switch
        {
            Op.Push or Op.Pop or Op.Pushf or Op.Popf or Op.PushSegment or Op.PopSegment =>
                (byte)(Math.Abs(instruction.StackPointerIncrement) == 2 ? 2 : 8),
            Op.Cbw => (byte)(instruction.Mnemonic switch { Mnemonic.Cbw => 2, Mnemonic.Cwde => 4, _ => 8 }),
            Op.Cwd => (byte)(instruction.Mnemonic switch { Mnemonic.Cwd => 2, Mnemonic.Cdq => 4, _ => 8 }),
            Op.Movs or Op.Stos or Op.Lods or Op.Scas or Op.Cmps => (byte)instruction.MemorySize.GetSize(),
            Op.Outs => op.SourceSize,
            Op.Out => op.SourceSize,
            Op.Jrcxz or Op.Loop or Op.Loope or Op.Loopne => JumpCounterSize(instruction.Code),
            Op.Leave or Op.Enter => (byte)(instruction.Code is Code.Leavew or Code.Enterw_imm16_imm8 ? 2 : 8),
            Op.Iretq => (byte)(instruction.Code switch { Code.Iretw => 2, Code.Iretd => 4, _ => 8 }),
            Op.Lldt or Op.Ltr or Op.Lmsw or Op.Verr or Op.Verw => 2,
            Op.Sysret => (byte)(instruction.Code == Code.Sysretq ? 8 : 4),
            Op.JmpFar or Op.CallFar => (byte)(instruction.Code switch
            {
                Code.Jmp_m1616 or Code.Call_m1616 => 2,
                Code.Jmp_m1632 or Code.Call_m1632 => 4,
                _ => 8,
            }),
            _ => op.Size,
        };
        if (op.Op == Op.Enter)
        {
            // Bytes of the frame, and its level.
            op.Immediate = instruction.Immediate16;
            op.Displacement = instruction.Immediate8_2nd;
        }

        if (instruction.Mnemonic is Mnemonic.Fxsave64 or Mnemonic.Fxrstor64 or Mnemonic.Xsave64 or Mnemonic.Xsaveopt64
            or Mnemonic.Xsavec64 or Mnemonic.Xrstor64)
        {
            op.Function = 1;
        }

        if (op.Op == Op.Retf)
        {
            op.Size = (byte)(instruction.Code is Code.Retfq or Code.Retfq_imm16 ? 8
                : instruction.Code is Code.Retfd or Code.Retfd_imm16 ? 4 : 2);
        }
    }

    private static byte JumpCounterSize(Code code) => code switch
    {
        Code.Jecxz_rel8_64 or Code.Loop_rel8_64_ECX or Code.Loope_rel8_64_ECX or Code.Loopne_rel8_64_ECX => 4,
        _ => 8,
    };
}
