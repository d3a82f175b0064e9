using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>String instructions. Registers move with each element, so that one which is interrupted goes on where it was.</summary>
internal sealed partial class Processor
{
    /// <summary>How many elements may pass before a request to cancel is looked for.</summary>
    private const int ElementsPerCheck = 1024;

    private bool ExecuteString(ref MicroOp op)
    {
        if (op.Repeat == Repeat.None)
        {
            return ExecuteElement(ref op);
        }

        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        for (int i = 0; (_regs[Rcx] & mask) != 0; i++)
        {
            // Having been cancelled, or having written over itself, it starts again with the elements that are left.
            // One that is stepped does an element at a time.
            if (i >= (MustInterpret ? 1 : ElementsPerCheck) || _blockEnd == 0)
            {
                _blockEnd = 0;
                _rip = op.Rip;
                return true;
            }

            if (!ExecuteElement(ref op))
            {
                return false;
            }

            _regs[Rcx] = (_regs[Rcx] - 1) & mask;
            if (op.Op is Op.Scas or Op.Cmps && Zero != (op.Repeat == Repeat.WhileEqual))
            {
                break;
            }
        }

        return true;
    }

    private bool ExecuteElement(ref MicroOp op)
    {
        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        ulong step = Backwards ? 0 - (ulong)op.Size : op.Size;
        ulong source = (_regs[Rsi] & mask) + SegmentBase(op.Segment);
        ulong destination = _regs[Rdi] & mask;
        ulong value;
        ulong other;
        switch (op.Op)
        {
            case Op.Movs:
                if (!Load(source, op.Size, out value) || !Store(destination, op.Size, value))
                {
                    return false;
                }

                break;
            case Op.Stos:
                if (!Store(destination, op.Size, _regs[Rax]))
                {
                    return false;
                }

                break;
            case Op.Lods:
                if (!Load(source, op.Size, out value))
                {
                    return false;
                }

                WriteRegister(Rax, op.Size, value);
                break;
            case Op.Scas:
                if (!Load(destination, op.Size, out value))
                {
                    return false;
                }

                Subtract(Truncate(_regs[Rax], op.Size), value, 0, op.Size);
                break;
            case Op.Cmps:
                if (!Load(source, op.Size, out value) || !Load(destination, op.Size, out other))
                {
                    return false;
                }

                Subtract(value, other, 0, op.Size);
                break;
            default:
                return ExecuteOuts(ref op, source, step, mask);
        }

        if (op.Op is Op.Movs or Op.Lods or Op.Cmps)
        {
            _regs[Rsi] = (_regs[Rsi] + step) & mask;
        }

        if (op.Op != Op.Lods)
        {
            _regs[Rdi] = (_regs[Rdi] + step) & mask;
        }

        return true;
    }

    /// <summary>Each element is an exit of its own; the instruction is executed again for the next one.</summary>
    private bool ExecuteOuts(ref MicroOp op, ulong source, ulong step, ulong mask)
    {
        if (!MayUsePort((ushort)_regs[Rdx], op.Size) || !Load(source, op.Size, out ulong value))
        {
            return false;
        }

        _regs[Rsi] = (_regs[Rsi] + step) & mask;
        VmExit exit = VmExit.IoOut((ushort)_regs[Rdx], (uint)value, op.Size);
        if (op.Repeat == Repeat.None)
        {
            return ExitBehind(exit);
        }

        _regs[Rcx] = (_regs[Rcx] - 1) & mask;
        return ExitWith(exit);
    }
}
