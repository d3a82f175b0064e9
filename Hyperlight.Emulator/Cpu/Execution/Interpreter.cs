using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>One instruction: chooses its handler. RIP is behind the instruction already.</summary>
internal sealed unsafe partial class Interpreter(
    ProcessorState* state,
    RegisterFile registers,
    Flags flags,
    PendingEvent pending,
    PrivilegeLevel privilege,
    CodePlacesByPrivilege places,
    LinearMemory memory,
    Operands operands,
    InterruptWindow interrupts,
    SegmentLoader segments,
    ProcessorClock clock,
    InstructionGroups groups)
{
    private readonly ArithmeticInstructions _arithmetic = groups.Arithmetic;
    private readonly BranchInstructions _branches = groups.Branches;
    private readonly ShiftInstructions _shifts = groups.Shifts;
    private readonly BitInstructions _bits = groups.Bits;
    private readonly MultiplyInstructions _multiplication = groups.Multiplication;
    private readonly StackInstructions _stack = groups.Stack;
    private readonly StringInstructions _strings = groups.Strings;

    public bool Execute(ref MicroOp op)
    {
        switch (op.Op)
        {
            case Op.Nop: return true;
            case Op.Mov: return operands.ReadSource(ref op, op.Size, out ulong moved) && operands.WriteDestination(ref op, moved);
            case Op.Lea:
                operands.WriteRegister(op.DestinationRegister, op.Size, operands.EffectiveOffset(ref op));
                return true;
            case Op.Movzx: return operands.ReadSource(ref op, op.SourceSize, out ulong small) && operands.WriteDestination(ref op, small);
            case Op.Movsx:
                return operands.ReadSource(ref op, op.SourceSize, out ulong signed)
                    && operands.WriteDestination(ref op, SizedInteger.SignExtend(signed, op.SourceSize));
            case Op.Push: return operands.ReadDestination(ref op, out ulong pushed) && memory.Push(pushed, op.Size);
            case Op.Pop: return _stack.Pop(ref op);
            case Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor: return _arithmetic.ExecuteBinary(ref op);
            case Op.Cmp:
                if (!operands.ReadDestination(ref op, out ulong left) || !operands.ReadSource(ref op, op.Size, out ulong right))
                {
                    return false;
                }

                flags.SetDifference(left, right, op.Size);
                return true;
            case Op.Test:
                if (!operands.ReadDestination(ref op, out ulong tested) || !operands.ReadSource(ref op, op.Size, out ulong mask))
                {
                    return false;
                }

                flags.SetLogic(tested & mask, op.Size);
                return true;
            case Op.Jcc:
                return !flags.Holds(op.Condition) || _branches.JumpTo(op.Immediate);
            case Op.Jmp: return _branches.JumpTo(op.Immediate);
            case Op.JmpIndirect: return operands.ReadDestination(ref op, out ulong target) && _branches.JumpTo(target);
            case Op.Call: return _branches.CallTo(op.Immediate, op.NextRip);
            case Op.CallIndirect: return operands.ReadDestination(ref op, out ulong callee) && _branches.CallTo(callee, op.NextRip);
            case Op.Ret: return _branches.Return(ref op);
            case Op.Cmovcc:
                return operands.ReadSource(ref op, op.Size, out ulong chosen) && (flags.Holds(op.Condition)
                    ? operands.WriteDestination(ref op, chosen)
                    : op.Size != 4 || operands.WriteDestination(ref op, registers[op.DestinationRegister]));
            case Op.Setcc: return operands.WriteDestination(ref op, flags.Holds(op.Condition) ? 1UL : 0);
            case Op.Inc or Op.Dec or Op.Neg or Op.Not: return _arithmetic.ExecuteUnary(ref op);
            case >= Op.Shl and <= Op.Rcr: return _shifts.Execute(ref op);
            case Op.Shld or Op.Shrd: return _shifts.ExecuteDoubleShift(ref op);
            case >= Op.Mul and <= Op.Idiv: return _multiplication.Execute(ref op);
            case >= Op.Bt and <= Op.Popcnt: return _bits.Execute(ref op);
            case >= Op.Movs and <= Op.Outs: return _strings.Execute(ref op);
            case Op.Vector: return groups.FloatingPoint.Vectors.Execute(ref op);
            default: return ExecuteRare(ref op);
        }
    }

    private bool ExecuteRare(ref MicroOp op)
    {
        switch (op.Op)
        {
            case Op.Xchg: return groups.Exchanges.Exchange(ref op);
            case Op.Xadd: return groups.Exchanges.ExchangeAdd(ref op);
            case Op.Cmpxchg: return groups.Exchanges.CompareExchange(ref op);
            case Op.Cmpxchg8b: return groups.Exchanges.CompareExchangePair(ref op, 4);
            case Op.Cmpxchg16b: return groups.Exchanges.CompareExchangePair(ref op, 8);
            case Op.Enter: return _stack.Enter(ref op);
            case Op.Leave: return _stack.Leave(op.Size);
            case Op.Cbw:
                operands.WriteRegister(Rax, op.Size, SizedInteger.SignExtend(registers[Rax], op.Size / 2));
                return true;
            case Op.Cwd:
                operands.WriteRegister(Rdx, op.Size, (ulong)((long)SizedInteger.SignExtend(registers[Rax], op.Size) >> 63));
                return true;
            case Op.Bswap:
                ulong swapped = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(registers[op.DestinationRegister]);
                operands.WriteRegister(op.DestinationRegister, op.Size, op.Size == 8 ? swapped : op.Size == 4 ? swapped >> 32 : 0);
                return true;
            case Op.Jrcxz or Op.Loop or Op.Loope or Op.Loopne: return _branches.Count(ref op);
            case Op.Lahf:
                registers[Rax] = (registers[Rax] & ~0xFF00UL) | ((flags.Read() & 0xFF) << 8);
                return true;
            case Op.Sahf:
                bool overflow = flags.Overflow;
                flags.WriteArithmetic((registers[Rax] >> 8 & 0xFF) | (overflow ? FlagOverflow : 0));
                return true;
            case Op.Crc32: return _bits.ExecuteCrc32(ref op);
            case Op.Movbe: return _bits.ExecuteMoveBigEndian(ref op);
            case Op.Clflush: return memory.Load(operands.Address(ref op), 1, out _);
            case Op.Clc: flags.SetCarries(false, flags.Overflow, flags.Adjust); return true;
            case Op.Stc: flags.SetCarries(true, flags.Overflow, flags.Adjust); return true;
            case Op.Cmc: flags.SetCarries(!flags.Carry, flags.Overflow, flags.Adjust); return true;
            case Op.Cld: state->Results.Other &= ~FlagDirection; return true;
            case Op.Std: state->Results.Other |= FlagDirection; return true;
            case Op.Pushf: return memory.Push(flags.Read() & ~FlagResume, op.Size);
            case Op.Popf: return groups.Flags.Pop(ref op);
            case Op.Xlat:
                if (!memory.Load(operands.TableAddress(ref op), 1, out ulong translated))
                {
                    return false;
                }

                operands.WriteRegister(Rax, 1, translated);
                return true;
            case Op.X87: return groups.FloatingPoint.X87.Execute(ref op);
            case Op.Mmx: return groups.FloatingPoint.Mmx.Execute(ref op);
            case Op.Invalid: return pending.Fault(InvalidOpcode, 0);
            case Op.TooLong: return pending.Fault(GeneralProtection, 0);
            default: return ExecuteSystem(ref op);
        }
    }
}
