using System.Runtime.Intrinsics.X86;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Which instructions become machine code; all others call the interpreter.</summary>
internal static class Emittable
{
    public static bool IsEmitted(in MicroOp op)
    {
        bool hasMemory = op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory;
        if (op.Destination == OperandKind.HighByte || op.Source == OperandKind.HighByte)
        {
            return op.Op is Op.Mov or Op.Movzx or Op.Movsx or Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor
                or Op.Cmp or Op.Test or Op.Inc or Op.Dec or Op.Neg or Op.Not or Op.Setcc;
        }

        switch (op.Op)
        {
            case Op.Nop or Op.Mov or Op.Lea or Op.Movzx or Op.Movsx
                or Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor or Op.Cmp or Op.Test
                or Op.Inc or Op.Dec or Op.Neg or Op.Not or Op.Imul or Op.Cbw or Op.Cwd
                or Op.Ret or Op.Setcc or Op.Cmovcc
                or Op.Shl or Op.Shr or Op.Sar or Op.Rol or Op.Ror:
                return true;
            case Op.Jcc or Op.Jmp or Op.Call:
                // The interpreter raises the exception of a target that is not canonical.
                return LinearAddress.IsCanonical(op.Immediate);
            case Op.Push or Op.Leave or Op.JmpIndirect or Op.CallIndirect:
                return op.Size == 8;
            case Op.Pop:
                return op.Size == 8 && op.Destination == OperandKind.Register;
            case Op.Xchg:
                return op.Source == OperandKind.Register;
            case Op.Cmpxchg or Op.Xadd:
                return op.Destination == OperandKind.Memory && op.Source == OperandKind.Register;
            case Op.Shld or Op.Shrd:
                // What a count above 16 does to 16-bit operands differs between processors.
                return op.Size >= 4;
            case Op.Movs or Op.Stos:
                return op.Repeat != Repeat.None && !op.Address32 && op.Segment == 0;
            case Op.Bt or Op.Bts or Op.Btr or Op.Btc:
                // A register as index reaches beyond an operand in memory.
                return !hasMemory || op.Source == OperandKind.Immediate;
            case Op.Bsf or Op.Bsr:
                return true;
            case Op.Popcnt:
                return Popcnt.IsSupported;
            case Op.Tzcnt:
                return Bmi1.IsSupported;
            case Op.Lzcnt:
                return Lzcnt.IsSupported;
            case Op.Clc or Op.Stc or Op.Cmc:
                return true;
            case Op.Mul or Op.Imul1 or Op.Div or Op.Idiv or Op.Bswap:
                return op.Size >= 4;
            default:
                return false;
        }
    }
}
