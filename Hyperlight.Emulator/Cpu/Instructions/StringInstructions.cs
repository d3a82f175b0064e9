using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>String instructions. Registers move with each element, so that one which is interrupted goes on where it was.</summary>
internal sealed unsafe partial class StringInstructions(
    ProcessorState* state,
    RegisterFile registers,
    Tlb tlb,
    BlockCache blocks,
    PhysicalMemory physicalMemory,
    EmulatorOptions options,
    Flags flags,
    Breakpoints breakpoints,
    AddressTranslation translation,
    LinearMemory memory,
    Operands operands,
    PortInstructions ports)
{
    /// <summary>
    /// How many elements may pass before a request to cancel is looked for: always up to a multiple of it in RCX. Each such part
    /// counts as an instruction.
    /// </summary>
    public const int ElementsPerCheck = 4096;

    /// <summary>What the last element of CMPS or SCAS compared.</summary>
    private ulong _comparedLeft;
    private ulong _comparedRight;

    public bool Execute(ref MicroOp op)
    {
        bool isComparison = op.Op is Op.Scas or Op.Cmps;
        if (op.Repeat == Repeat.None)
        {
            return ExecuteElement(ref op) && (!isComparison || SetCompared(op.Size));
        }

        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        int most = breakpoints.MustInterpret ? 1 : (int)(((registers[Rcx] & mask) - 1) % ElementsPerCheck) + 1;
        int elements = 0;
        while ((registers[Rcx] & mask) != 0)
        {
            // Having been cancelled, or having written over itself, it starts again with the elements that are left.
            // One that is stepped does an element at a time.
            if (elements >= most || state->BlockEnd == 0)
            {
                if (elements < most)
                {
                    // Whether it is noticed depends on which code is kept decoded; how much is counted must not.
                    state->Executed--;
                    state->CountedAgain++;
                }

                state->BlockEnd = 0;
                state->Rip = op.Rip;
                return !isComparison || !breakpoints.MustInterpret || SetCompared(op.Size);
            }

            if (ExecuteInPages(ref op, most - elements) is > 0 and var inPages)
            {
                elements += inPages;
                continue;
            }

            ulong source = SourceAddress(ref op, mask);
            ulong destination = registers[Rdi] & mask;
            if (!ExecuteElement(ref op))
            {
                return false;
            }

            elements++;
            registers[Rcx] = (registers[Rcx] - 1) & mask;
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

    private ulong SourceAddress(ref MicroOp op, ulong mask) => (registers[Rsi] & mask) + operands.SegmentBase(op.Segment);

    /// <summary>
    /// The flags of CMPS or SCAS follow from the last element. Until then they are those from before the instruction, which
    /// the handler of a fault at a later element sees, as on processors of Intel.
    /// </summary>
    private bool SetCompared(int size)
    {
        flags.SetDifference(_comparedLeft, _comparedRight, size);
        return true;
    }

    private bool ExecuteElement(ref MicroOp op)
    {
        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        ulong step = flags.Backwards ? 0 - (ulong)op.Size : op.Size;
        ulong source = SourceAddress(ref op, mask);
        ulong destination = registers[Rdi] & mask;
        ulong value;
        switch (op.Op)
        {
            case Op.Movs:
                if (!memory.Load(source, op.Size, out value) || !memory.Store(destination, op.Size, value))
                {
                    return false;
                }

                break;
            case Op.Stos:
                if (!memory.Store(destination, op.Size, registers[Rax]))
                {
                    return false;
                }

                break;
            case Op.Lods:
                if (!memory.Load(source, op.Size, out value))
                {
                    return false;
                }

                operands.WriteRegister(Rax, op.Size, value);
                break;
            case Op.Scas:
                _comparedLeft = SizedInteger.Truncate(registers[Rax], op.Size);
                if (!memory.Load(destination, op.Size, out _comparedRight))
                {
                    return false;
                }

                break;
            case Op.Cmps:
                if (!memory.Load(source, op.Size, out _comparedLeft) || !memory.Load(destination, op.Size, out _comparedRight))
                {
                    return false;
                }

                break;
            default:
                return ports.Outs(ref op, source, step, mask);
        }

        Advance(ref op, step, mask);
        return true;
    }

    private void Advance(ref MicroOp op, ulong step, ulong mask)
    {
        if (op.Op is Op.Movs or Op.Lods or Op.Cmps)
        {
            registers[Rsi] = (registers[Rsi] + step) & mask;
        }

        if (op.Op != Op.Lods)
        {
            registers[Rdi] = (registers[Rdi] + step) & mask;
        }
    }
}
