using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>What the compiler has to know about an instruction before it writes code for it.</summary>
internal static class OpTraits
{
    private const int StringRegisters = (1 << GeneralRegister.Rcx) | (1 << GeneralRegister.Rsi) | (1 << GeneralRegister.Rdi);

    /// <summary>Whether code is written for the instruction itself; all others call the interpreter's.</summary>
    public static bool IsCompiled(in MicroOp op)
    {
        bool inMemory = op.Destination == OperandKind.Memory;
        switch (op.Op)
        {
            case Op.Nop or Op.Mov or Op.Lea or Op.Movzx or Op.Movsx
                or Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor or Op.Cmp or Op.Test
                or Op.Inc or Op.Dec or Op.Neg or Op.Not or Op.Imul or Op.Cbw or Op.Cwd
                or Op.Ret or Op.Setcc or Op.Cmovcc:
                return true;
            case Op.Jcc or Op.Jmp or Op.Call:
                // The interpreter raises the exception of a target that is not canonical.
                return LinearAddress.IsCanonical(op.Immediate);
            case Op.Push or Op.Leave or Op.JmpIndirect or Op.CallIndirect:
                return op.Size == 8;
            case Op.Pop:
                return op.Size == 8 && !inMemory;
            case Op.Xchg:
                return !inMemory;
            case Op.Shl or Op.Shr or Op.Sar:
                return op.Source == OperandKind.Immediate || !inMemory;
            case Op.Rol or Op.Ror:
                return op.Source == OperandKind.Immediate && !inMemory && op.Size >= 4;
            case Op.Mul or Op.Imul1 or Op.Div or Op.Idiv:
                return op.Size >= 4;
            case Op.Bswap:
                return op.Size >= 4;
            default:
                return false;
        }
    }

    /// <summary>Whether execution goes on behind the instruction, at least sometimes and without a return.</summary>
    public static bool FallsThrough(Op op) => op is Op.Jcc || !OpTable.EndsBlock(op);

    public static bool IsCall(Op op) => op is Op.Call or Op.CallIndirect;

    /// <summary>Whether every arithmetic flag has a new value afterwards, whatever it was.</summary>
    public static bool SetsAllFlags(in MicroOp op) => op.Op switch
    {
        Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor or Op.Cmp or Op.Test or Op.Neg
            or Op.Imul or Op.Mul or Op.Imul1 => true,
        Op.Shl or Op.Shr or Op.Sar => op.Source == OperandKind.Immediate && ShiftCount(in op) != 0,
        _ => false,
    };

    public static bool SetsAnyFlag(in MicroOp op) => SetsAllFlags(in op) || op.Op is Op.Inc or Op.Dec
        || (op.Op is Op.Shl or Op.Shr or Op.Sar or Op.Rol or Op.Ror
            && (op.Source != OperandKind.Immediate || ShiftCount(in op) != 0));

    public static bool ReadsFlags(in MicroOp op) => op.Op is Op.Jcc or Op.Setcc or Op.Cmovcc or Op.Adc or Op.Sbb;

    /// <summary>Whether it may fault, leave the region, or call the interpreter: the flags must be known before it then.</summary>
    public static bool MayLeave(in MicroOp op) => !IsCompiled(in op) || op.Destination == OperandKind.Memory
        || op.Source == OperandKind.Memory || OpTable.EndsBlock(op.Op)
        || op.Op is Op.Push or Op.Pop or Op.Leave or Op.Div or Op.Idiv;

    /// <summary>
    /// Whether an instruction of the interpreter leaves the general registers and the flags as they are: what computes in
    /// vectors, or moves them to and from memory.
    /// </summary>
    public static bool KeepsGeneralState(in MicroOp op)
    {
        const int VectorSize = 16;
        return op.Op == Op.Vector && (op.Size == VectorSize || op.Destination == OperandKind.Memory)
            && op.Vector is not (VectorOp.OrderedCompare or VectorOp.UnorderedCompare) and < VectorOp.Ptest;
    }

    /// <summary>How far a shift or rotation by an immediate goes.</summary>
    public static int ShiftCount(in MicroOp op) => (int)op.Immediate & (op.Size == 8 ? 63 : 31);

    /// <summary>The general registers that an instruction with code of its own uses, as bits.</summary>
    public static int Registers(in MicroOp op)
    {
        int used = 0;
        if (op.Destination is OperandKind.Register or OperandKind.HighByte)
        {
            used |= 1 << op.DestinationRegister;
        }

        if (op.Source is OperandKind.Register or OperandKind.HighByte)
        {
            used |= 1 << op.SourceRegister;
        }

        if (op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory)
        {
            used |= (1 << op.Base) | (1 << op.Index);
        }

        used |= op.Op switch
        {
            Op.Push or Op.Pop or Op.Call or Op.CallIndirect or Op.Ret => 1 << GeneralRegister.Rsp,
            Op.Leave => (1 << GeneralRegister.Rsp) | (1 << GeneralRegister.Rbp),
            Op.Shld or Op.Shrd when !op.HasThirdOperand => 1 << GeneralRegister.Rcx,
            Op.Movs => StringRegisters,
            Op.Stos => StringRegisters | (1 << GeneralRegister.Rax),
            Op.Cmpxchg => 1 << GeneralRegister.Rax,
            Op.Mul or Op.Imul1 or Op.Div or Op.Idiv or Op.Cwd => (1 << GeneralRegister.Rax) | (1 << GeneralRegister.Rdx),
            Op.Cbw => 1 << GeneralRegister.Rax,
            _ => 0,
        };
        return used & 0xFFFF;
    }

    /// <summary>The general registers that it changes, as bits.</summary>
    public static int WrittenRegisters(in MicroOp op)
    {
        bool writesDestination = op.Op is not (Op.Cmp or Op.Test or Op.Push or Op.JmpIndirect or Op.CallIndirect
            or Op.Mul or Op.Imul1 or Op.Div or Op.Idiv or Op.Nop or Op.Bt or Op.Jcc or Op.Jmp or Op.Call or Op.Ret);
        int written = writesDestination && op.Destination is OperandKind.Register or OperandKind.HighByte
            ? 1 << op.DestinationRegister
            : 0;
        written |= op.Op switch
        {
            Op.Push or Op.Pop or Op.Call or Op.CallIndirect or Op.Ret => 1 << GeneralRegister.Rsp,
            Op.Leave => (1 << GeneralRegister.Rsp) | (1 << GeneralRegister.Rbp),
            Op.Mul or Op.Imul1 or Op.Div or Op.Idiv => (1 << GeneralRegister.Rax) | (1 << GeneralRegister.Rdx),
            Op.Cwd => 1 << GeneralRegister.Rdx,
            Op.Cbw => 1 << GeneralRegister.Rax,
            Op.Movs or Op.Stos => StringRegisters,
            Op.Cmpxchg => 1 << GeneralRegister.Rax,
            Op.Xchg or Op.Xadd => 1 << op.SourceRegister,
            _ => 0,
        };
        return written & 0xFFFF;
    }

    /// <summary>
    /// For each instruction of a block, whether anything can see the flags that it sets: not if others overwrite them first.
    /// </summary>
    public static bool[] FlagsThatAreSeen(ReadOnlySpan<MicroOp> ops)
    {
        bool[] seen = new bool[ops.Length];
        bool isSeen = true;
        for (int i = ops.Length - 1; i >= 0; i--)
        {
            ref readonly MicroOp op = ref ops[i];
            seen[i] = isSeen;
            if (SetsAllFlags(in op))
            {
                isSeen = false;
            }

            if (ReadsFlags(in op) || MayLeave(in op))
            {
                isSeen = true;
            }
        }

        return seen;
    }
}
