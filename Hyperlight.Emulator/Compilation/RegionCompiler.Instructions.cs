using System.Reflection.Emit;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>One instruction: chooses who writes its code.</summary>
internal sealed partial class RegionCompiler
{
    private void WriteInstruction(RegionNode node, in MicroOp op, bool flagsAreSeen, int fromHere)
    {
        var site = new Site(op.Rip, op.NextRip, fromHere - 1);
        if (!OpTraits.IsCompiled(in op))
        {
            WriteCall(in op, site);
            return;
        }

        switch (op.Op)
        {
            case Op.Nop: break;
            case Op.Mov or Op.Movzx or Op.Movsx: WriteMove(op, site); break;
            case Op.Lea:
                PushOffset(in op);
                PopRegister(op.DestinationRegister, op.Size);
                break;
            case Op.Xchg: WriteExchange(in op); break;
            case Op.Push: WritePush(op, site); break;
            case Op.Pop: WritePop(in op, site); break;
            case Op.Leave: WriteLeave(site); break;
            case Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor:
                WriteArithmetic(op, site, flagsAreSeen);
                break;
            case Op.Cmp or Op.Test: WriteComparison(in op, site, flagsAreSeen); break;
            case Op.Inc or Op.Dec or Op.Neg or Op.Not: WriteUnary(op, site, flagsAreSeen); break;
            case Op.Shl or Op.Shr or Op.Sar when op.Source == OperandKind.Immediate:
                WriteShift(op, site, flagsAreSeen);
                break;
            case Op.Shl or Op.Shr or Op.Sar: WriteVariableShift(op, flagsAreSeen); break;
            case Op.Rol or Op.Ror: WriteRotation(op, flagsAreSeen); break;
            case Op.Imul: WriteMultiplication(in op, site, flagsAreSeen); break;
            case Op.Mul or Op.Imul1: WriteWideMultiplication(in op, site, flagsAreSeen); break;
            case Op.Div or Op.Idiv: WriteDivision(in op, site); break;
            case Op.Cbw:
                PushRegister(GeneralRegister.Rax);
                _w.SignExtend(op.Size / 2);
                PopRegister(GeneralRegister.Rax, op.Size);
                break;
            case Op.Cwd:
                PushRegister(GeneralRegister.Rax);
                _w.SignExtend(op.Size);
                _w.Int32(63);
                _w.Emit(OpCodes.Shr);
                PopRegister(GeneralRegister.Rdx, op.Size);
                break;
            case Op.Bswap:
                PushRegister(op.DestinationRegister);
                _w.Call(Members.ReverseEndianness);
                _w.Int32(64 - (8 * op.Size));
                _w.Emit(OpCodes.Shr_Un);
                PopRegister(op.DestinationRegister, op.Size);
                break;
            case Op.Setcc: WriteSet(op, site); break;
            case Op.Cmovcc: WriteConditionalMove(in op, site); break;
            default: WriteBranch(node, in op, site); break;
        }
    }

    /// <summary>The interpreter executes it.</summary>
    private void WriteCall(in MicroOp op, Site site)
    {
        bool keepsState = OpTraits.KeepsGeneralState(in op);
        if (!keepsState)
        {
            SettleFlags();
        }

        WriteRegisters(_dirty);
        _dirty = 0;
        _w.Argument(ProcessorArgument);
        _w.Argument(OpsArgument);
        _w.Int32(_ops.Count);
        _w.Emit(OpCodes.Ldelema, typeof(MicroOp));
        _ops.Add(op);
        _w.Call(Members.Execute);
        if (OpTable.EndsBlock(op.Op))
        {
            _w.Store(_exit);
            _w.Emit(OpCodes.Br, _leaveWithoutState);
            return;
        }

        Label left = _w.NewLabel();
        _w.Store(_exit);
        _w.Load(_exit);
        _w.Emit(OpCodes.Brtrue, left);
        if (!keepsState)
        {
            ReadRegisters();
        }

        FlagSource flags = _flags;
        _outOfLine.Add(() =>
        {
            _w.Mark(left);
            StoreFlagSource(flags);
            PushFlags();
            _w.Call(Members.SetFlags);
            GiveBack(site.Behind);
            _w.Emit(OpCodes.Br, _leaveWithoutState);
        });
    }
}
