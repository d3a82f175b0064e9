using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>String instructions. Registers move with each element, so that one which is interrupted goes on where it was.</summary>
internal sealed partial class Processor
{
    /// <summary>
    /// How many elements may pass before a request to cancel is looked for: always up to a multiple of it in RCX. Each such part
    /// counts as an instruction.
    /// </summary>
    public const int ElementsPerCheck = 4096;

    /// <summary>How many instructions were counted again since compiled code was entered, because they wrote over themselves.</summary>
    private int _countedAgain;

    /// <summary>What the last element of CMPS or SCAS compared.</summary>
    private ulong _comparedLeft;
    private ulong _comparedRight;

    private bool ExecuteString(ref MicroOp op)
    {
        bool isComparison = op.Op is Op.Scas or Op.Cmps;
        if (op.Repeat == Repeat.None)
        {
            return ExecuteElement(ref op) && (!isComparison || SetCompared(op.Size));
        }

        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        int most = MustInterpret ? 1 : (int)(((_regs[Rcx] & mask) - 1) % ElementsPerCheck) + 1;
        int elements = 0;
        while ((_regs[Rcx] & mask) != 0)
        {
            // Having been cancelled, or having written over itself, it starts again with the elements that are left.
            // One that is stepped does an element at a time.
            if (elements >= most || _blockEnd == 0)
            {
                if (elements < most)
                {
                    // Whether it is noticed depends on which code is kept decoded; how much is counted must not.
                    _executed--;
                    _countedAgain++;
                }

                _blockEnd = 0;
                _rip = op.Rip;
                return !isComparison || !MustInterpret || SetCompared(op.Size);
            }

            if (ExecuteInPages(ref op, most - elements) is > 0 and var inPages)
            {
                elements += inPages;
                continue;
            }

            ulong source = SourceAddress(ref op, mask);
            ulong destination = _regs[Rdi] & mask;
            if (!ExecuteElement(ref op))
            {
                return false;
            }

            elements++;
            _regs[Rcx] = (_regs[Rcx] - 1) & mask;
            if (!HasEnded(ref op))
            {
                if (!ExecuteFollowing(ref op, source, destination, most - elements, out int following))
                {
                    return false;
                }

                elements += following;
            }

            if (HasEnded(ref op))
            {
                break;
            }
        }

        return elements == 0 || !isComparison || SetCompared(op.Size);
    }

    /// <summary>Whether what was compared last ends the repetition.</summary>
    private bool HasEnded(ref MicroOp op) =>
        op.Op is Op.Scas or Op.Cmps && (_comparedLeft == _comparedRight) != (op.Repeat == Repeat.WhileEqual);

    private ulong SourceAddress(ref MicroOp op, ulong mask) => (_regs[Rsi] & mask) + SegmentBase(op.Segment);

    /// <summary>
    /// The flags of CMPS or SCAS follow from the last element. Until then they are those from before the instruction, which
    /// the handler of a fault at a later element sees, as on processors of Intel.
    /// </summary>
    private bool SetCompared(int size)
    {
        Subtract(_comparedLeft, _comparedRight, 0, size);
        return true;
    }

    private bool ExecuteElement(ref MicroOp op)
    {
        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        ulong step = Backwards ? 0 - (ulong)op.Size : op.Size;
        ulong source = SourceAddress(ref op, mask);
        ulong destination = _regs[Rdi] & mask;
        ulong value;
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
                _comparedLeft = Truncate(_regs[Rax], op.Size);
                if (!Load(destination, op.Size, out _comparedRight))
                {
                    return false;
                }

                break;
            case Op.Cmps:
                if (!Load(source, op.Size, out _comparedLeft) || !Load(destination, op.Size, out _comparedRight))
                {
                    return false;
                }

                break;
            default:
                return ExecuteOuts(ref op, source, step, mask);
        }

        Advance(ref op, step, mask);
        return true;
    }

    private void Advance(ref MicroOp op, ulong step, ulong mask)
    {
        if (op.Op is Op.Movs or Op.Lods or Op.Cmps)
        {
            _regs[Rsi] = (_regs[Rsi] + step) & mask;
        }

        if (op.Op != Op.Lods)
        {
            _regs[Rdi] = (_regs[Rdi] + step) & mask;
        }
    }

    /// <summary>Each element is an exit of its own; the instruction is executed again for the next one.</summary>
    private bool ExecuteOuts(ref MicroOp op, ulong source, ulong step, ulong mask)
    {
        if (!MayUsePort((ushort)_regs[Rdx], op.Size) || !Load(source, op.Size, out ulong value))
        {
            return false;
        }

        StringWrite = (_regs[Rsi], _regs[Rcx], op.Repeat != Repeat.None);
        _regs[Rsi] = (_regs[Rsi] + step) & mask;
        PortWrite = (op.Rip, true);
        VmExit exit = VmExit.IoOut((ushort)_regs[Rdx], (uint)value, op.Size);
        if (op.Repeat == Repeat.None)
        {
            return ExitBehind(exit);
        }

        _regs[Rcx] = (_regs[Rcx] - 1) & mask;
        return ExitWith(exit);
    }
}
