using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions that load and store segment registers.</summary>
internal sealed class SegmentInstructions(
    RegisterFile registers,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    SegmentLoader segments)
{
    public bool MoveTo(ref MicroOp op) =>
        op.DestinationRegister == SegmentLoader.CsIndex ? pending.Fault(InvalidOpcode, 0)
        : operands.ReadSource(ref op, 2, out ulong selector) && segments.Load(op.DestinationRegister, (ushort)selector);

    public bool MoveFrom(ref MicroOp op)
    {
        ulong selector = segments.Of(op.SourceRegister).Selector;
        return op.Destination == OperandKind.Memory
            ? memory.Store(operands.Address(ref op), 2, selector)
            : operands.WriteDestination(ref op, selector);
    }

    public bool Pop(ref MicroOp op)
    {
        ulong rsp = registers[Rsp];
        if (!memory.Pop(out ulong selector, op.Size))
        {
            return false;
        }

        if (segments.Load(op.DestinationRegister, (ushort)selector))
        {
            return true;
        }

        registers[Rsp] = rsp;
        return false;
    }

    /// <summary>LSS, LFS and LGS: an offset and the selector behind it.</summary>
    public bool LoadFarPointer(ref MicroOp op)
    {
        int register = op.Op switch { Op.Lss => SegmentLoader.SsIndex, Op.Lfs => 4, _ => 5 };
        ulong address = operands.Address(ref op);
        if (!memory.LoadTwo(address, op.Size, out ulong offset, 2, out ulong selector)
            || !segments.Load(register, (ushort)selector))
        {
            return false;
        }

        operands.WriteRegister(op.DestinationRegister, op.Size, offset);
        return true;
    }
}
