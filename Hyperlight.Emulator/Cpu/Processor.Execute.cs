using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>One instruction: chooses its handler. RIP is behind the instruction already.</summary>
internal sealed partial class Processor
{
    private bool Execute(ref MicroOp op)
    {
        switch (op.Op)
        {
            case Op.Nop: return true;
            case Op.Mov: return ReadSource(ref op, op.Size, out ulong moved) && WriteDestination(ref op, moved);
            case Op.Lea:
                WriteRegister(op.DestinationRegister, op.Size, EffectiveOffset(ref op));
                return true;
            case Op.Movzx: return ReadSource(ref op, op.SourceSize, out ulong small) && WriteDestination(ref op, small);
            case Op.Movsx:
                return ReadSource(ref op, op.SourceSize, out ulong signed)
                    && WriteDestination(ref op, SignExtend(signed, op.SourceSize));
            case Op.Push: return ReadDestination(ref op, out ulong pushed) && Push(pushed, op.Size);
            case Op.Pop: return ExecutePop(ref op);
            case Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor: return ExecuteAlu(ref op);
            case Op.Cmp:
                if (!ReadDestination(ref op, out ulong left) || !ReadSource(ref op, op.Size, out ulong right))
                {
                    return false;
                }

                Subtract(left, right, 0, op.Size);
                return true;
            case Op.Test:
                if (!ReadDestination(ref op, out ulong tested) || !ReadSource(ref op, op.Size, out ulong mask))
                {
                    return false;
                }

                SetLogic(tested & mask, op.Size);
                return true;
            case Op.Jcc:
                return !Holds(op.Condition) || JumpTo(op.Immediate);
            case Op.Jmp: return JumpTo(op.Immediate);
            case Op.JmpIndirect: return ReadDestination(ref op, out ulong target) && JumpTo(target);
            case Op.Call: return CallTo(op.Immediate, op.NextRip);
            case Op.CallIndirect: return ReadDestination(ref op, out ulong callee) && CallTo(callee, op.NextRip);
            case Op.Ret: return ExecuteReturn(ref op);
            case Op.Cmovcc:
                return ReadSource(ref op, op.Size, out ulong chosen) && (Holds(op.Condition)
                    ? WriteDestination(ref op, chosen)
                    : op.Size != 4 || WriteDestination(ref op, _regs[op.DestinationRegister]));
            case Op.Setcc: return WriteDestination(ref op, Holds(op.Condition) ? 1UL : 0);
            case Op.Inc or Op.Dec or Op.Neg or Op.Not: return ExecuteUnary(ref op);
            case >= Op.Shl and <= Op.Rcr: return ExecuteShift(ref op);
            case Op.Shld or Op.Shrd: return ExecuteDoubleShift(ref op);
            case >= Op.Mul and <= Op.Idiv: return ExecuteMultiply(ref op);
            case >= Op.Bt and <= Op.Popcnt: return ExecuteBits(ref op);
            case >= Op.Movs and <= Op.Outs: return ExecuteString(ref op);
            case Op.Vector: return ExecuteVector(ref op);
            default: return ExecuteRare(ref op);
        }
    }

    private bool ExecuteRare(ref MicroOp op)
    {
        switch (op.Op)
        {
            case Op.Xchg: return ExecuteExchange(ref op);
            case Op.Xadd: return ExecuteExchangeAdd(ref op);
            case Op.Cmpxchg: return ExecuteCompareExchange(ref op);
            case Op.Cmpxchg8b: return ExecuteCompareExchangePair(ref op, 4);
            case Op.Cmpxchg16b: return ExecuteCompareExchangePair(ref op, 8);
            case Op.Enter: return ExecuteEnter(ref op);
            case Op.Leave: return ExecuteLeave(op.Size);
            case Op.Cbw:
                WriteRegister(Rax, op.Size, SignExtend(_regs[Rax], op.Size / 2));
                return true;
            case Op.Cwd:
                WriteRegister(Rdx, op.Size, (ulong)((long)SignExtend(_regs[Rax], op.Size) >> 63));
                return true;
            case Op.Bswap:
                ulong swapped = System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(_regs[op.DestinationRegister]);
                WriteRegister(op.DestinationRegister, op.Size, op.Size == 8 ? swapped : op.Size == 4 ? swapped >> 32 : 0);
                return true;
            case Op.Jrcxz or Op.Loop or Op.Loope or Op.Loopne: return ExecuteCounted(ref op);
            case Op.Lahf:
                _regs[Rax] = (_regs[Rax] & ~0xFF00UL) | ((ReadFlags() & 0xFF) << 8);
                return true;
            case Op.Sahf:
                bool overflow = Overflow;
                WriteArithmeticFlags((_regs[Rax] >> 8 & 0xFF) | (overflow ? FlagOverflow : 0));
                return true;
            case Op.Crc32: return ExecuteCrc32(ref op);
            case Op.Movbe: return ExecuteMoveBigEndian(ref op);
            case Op.Clflush: return Load(Address(ref op), 1, out _);
            case Op.Clc: SetCarries(false, Overflow, Adjust); return true;
            case Op.Stc: SetCarries(true, Overflow, Adjust); return true;
            case Op.Cmc: SetCarries(!Carry, Overflow, Adjust); return true;
            case Op.Cld: _otherFlags &= ~FlagDirection; return true;
            case Op.Std: _otherFlags |= FlagDirection; return true;
            case Op.Pushf: return Push(ReadFlags() & ~FlagResume, op.Size);
            case Op.Popf: return ExecutePopFlags(ref op);
            case Op.Xlat:
                if (!Load(TableAddress(ref op), 1, out ulong translated))
                {
                    return false;
                }

                WriteRegister(Rax, 1, translated);
                return true;
            case Op.X87: return ExecuteX87(ref op);
            case Op.Mmx: return ExecuteMmx(ref op);
            case Op.Invalid: return Fault(InvalidOpcode, 0);
            case Op.TooLong: return Fault(GeneralProtection, 0);
            default: return ExecuteSystem(ref op);
        }
    }

    /// <summary>The processor would execute it, this one cannot: the owner is told which instruction it is.</summary>
    private bool ExitUnsupported(ref MicroOp op)
    {
        Span<byte> bytes = stackalloc byte[op.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            if (!LoadSlow(op.Rip + (ulong)i, 1, Access.Fetch, out ulong value))
            {
                return false;
            }

            bytes[i] = (byte)value;
        }

        return ExitWith(VmExit.EmulationFailure(op.Rip, bytes, 1));
    }

    private bool IsTarget(ulong address) => IsCanonical(address) || Fault(GeneralProtection, 0);

    private bool JumpTo(ulong address)
    {
        if (!IsTarget(address))
        {
            return false;
        }

        _rip = address;
        return true;
    }

    /// <summary>
    /// The return address is written before the target is looked at, as on processors of Intel: below the stack pointer,
    /// which stays where it was if the target is refused.
    /// </summary>
    private bool CallTo(ulong address, ulong returnTo)
    {
        ulong rsp = _regs[Rsp];
        if (!Push(returnTo))
        {
            return false;
        }

        if (JumpTo(address))
        {
            return true;
        }

        _regs[Rsp] = rsp;
        return false;
    }

    private bool ExecutePop(ref MicroOp op)
    {
        ulong rsp = _regs[Rsp];
        if (!Pop(out ulong value, op.Size))
        {
            return false;
        }

        // An address made of RSP uses its value after the pop.
        if (WriteDestination(ref op, value))
        {
            return true;
        }

        _regs[Rsp] = rsp;
        return false;
    }

    private bool ExecuteReturn(ref MicroOp op)
    {
        ulong rsp = _regs[Rsp];
        if (!Pop(out ulong target))
        {
            return false;
        }

        if (!JumpTo(target))
        {
            _regs[Rsp] = rsp;
            return false;
        }

        _regs[Rsp] += op.Immediate;
        return true;
    }

    /// <summary>Makes a frame, with pointers to those around it for a level above 0.</summary>
    private bool ExecuteEnter(ref MicroOp op)
    {
        int level = (int)op.Displacement & 31;
        ulong rsp = _regs[Rsp];
        ulong outer = _regs[Rbp];
        if (!Push(outer, op.Size))
        {
            return false;
        }

        ulong frame = _regs[Rsp];
        for (int i = 1; i < level; i++)
        {
            outer -= (ulong)op.Size;
            if (!LoadStack(outer, op.Size, out ulong pointer) || !Push(pointer, op.Size))
            {
                _regs[Rsp] = rsp;
                return false;
            }
        }

        if (level > 0 && !Push(frame, op.Size))
        {
            _regs[Rsp] = rsp;
            return false;
        }

        // What the new stack pointer points to must be there and writable, though nothing is written to it.
        ulong top = _regs[Rsp] - op.Immediate;
        if (!LoadForStore(top, op.Size, out _))
        {
            _regs[Rsp] = rsp;
            return StackFault();
        }

        WriteRegister(Rbp, op.Size, frame);
        _regs[Rsp] = top;
        return true;
    }

    private bool ExecuteLeave(int size)
    {
        if (!LoadStack(_regs[Rbp], size, out ulong value))
        {
            return false;
        }

        _regs[Rsp] = _regs[Rbp] + (ulong)size;
        WriteRegister(Rbp, size, value);
        return true;
    }

    private bool ExecuteCounted(ref MicroOp op)
    {
        ulong mask = op.Size == 4 ? uint.MaxValue : ulong.MaxValue;
        if (op.Op == Op.Jrcxz)
        {
            return (_regs[Rcx] & mask) != 0 || JumpTo(op.Immediate);
        }

        ulong count = (_regs[Rcx] - 1) & mask;
        bool isTaken = count != 0 && (op.Op == Op.Loop || Zero == (op.Op == Op.Loope));
        if (isTaken && !JumpTo(op.Immediate))
        {
            return false;
        }

        _regs[Rcx] = count;
        return true;
    }
}
