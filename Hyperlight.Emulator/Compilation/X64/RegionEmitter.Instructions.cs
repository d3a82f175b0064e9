using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>One instruction: chooses who emits its code.</summary>
internal sealed partial class RegionEmitter
{
    private void EmitInstruction(RegionNode node, in MicroOp op, int behind)
    {
        _slow = null;
        if (op.Op == Op.Vector && VectorTraits.IsEmitted(in op, node.Block.BytesOf(in op)))
        {
            EmitVector(in op, node.Block.BytesOf(in op));
            FinishSlow(behind);
            return;
        }

        if (!Emittable.IsEmitted(in op))
        {
            FreeFlags();
            Interpret(Number(behind));
            return;
        }

        if (op.Destination == OperandKind.HighByte || op.Source == OperandKind.HighByte)
        {
            EmitWithHighByte(in op);
            FinishSlow(behind);
            return;
        }

        switch (op.Op)
        {
            case Op.Nop: break;
            case Op.Mov: EmitMove(in op); break;
            case Op.Movzx or Op.Movsx: EmitExtension(in op); break;
            case Op.Lea: EmitLoadAddress(in op); break;
            case Op.Xchg: EmitExchange(in op); break;
            case Op.Push: EmitPush(in op); break;
            case Op.Pop: EmitPop(in op); break;
            case Op.Leave: EmitLeave(); break;
            case Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor or Op.Cmp: EmitArithmetic(in op); break;
            case Op.Test: EmitTest(in op); break;
            case Op.Inc or Op.Dec or Op.Neg or Op.Not: EmitUnary(in op); break;
            case Op.Shl or Op.Shr or Op.Sar or Op.Rol or Op.Ror: EmitShift(in op); break;
            case Op.Imul: EmitMultiplication(in op); break;
            case Op.Mul or Op.Imul1: EmitWideMultiplication(in op); break;
            case Op.Div or Op.Idiv: EmitDivision(in op); break;
            case Op.Cbw: EmitSignExtension(in op); break;
            case Op.Cwd: EmitSignSpread(in op); break;
            case Op.Bswap:
                int swapped = Read(op.DestinationRegister, Host.Entry);
                _a.EmitShort(op.Size, 0x0FC8, swapped);
                Write(op.DestinationRegister, swapped);
                break;
            case Op.Bt or Op.Bts or Op.Btr or Op.Btc: EmitBitTest(in op); break;
            case Op.Bsf or Op.Bsr or Op.Popcnt or Op.Tzcnt or Op.Lzcnt: EmitBitScan(in op); break;
            case Op.Clc or Op.Stc or Op.Cmc:
                UseFlags();
                _a.Byte((byte)(op.Op switch { Op.Clc => 0xF8, Op.Stc => 0xF9, _ => 0xF5 }));
                FlagsAreNew();
                break;
            case Op.Setcc: EmitSet(in op); break;
            case Op.Cmpxchg: EmitCompareExchange(in op); break;
            case Op.Xadd: EmitExchangeAdd(in op); break;
            case Op.Shld or Op.Shrd: EmitDoubleShift(in op); break;
            case Op.Movs or Op.Stos: EmitString(in op, behind); break;
            case Op.Cmovcc: EmitConditionalMove(in op); break;
            default: EmitBranch(node, in op, behind); break;
        }

        FinishSlow(behind);
    }
}
