using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Instructions on MMX registers: chooses their handlers. Each of them makes the
/// first register the top of the stack and all of them in use, or empty in the case of EMMS.
/// </summary>
internal sealed unsafe class MmxInstructions(
    ProcessorState* state,
    XmmFile xmm,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands,
    X87Registers x87,
    MmxRegisters mmx,
    MmxConversions mmxConversions)
{
    public bool Execute(ref MicroOp op)
    {
        var operation = (MmxOp)op.Function;
        if ((state->Control.Cr0 & (Cr0Emulation | Cr0TaskSwitched)) != 0)
        {
            return pending.Fault((state->Control.Cr0 & Cr0Emulation) != 0 ? InvalidOpcode : DeviceNotAvailable, 0);
        }

        if (x87.IsMathFaultPending)
        {
            return pending.Fault(MathFault, 0);
        }

        switch (operation)
        {
            case MmxOp.MoveFromGeneral:
                return operands.ReadSource(ref op, op.SourceSize, out ulong general) && mmx.Write(op.DestinationRegister, general);
            case MmxOp.MoveToGeneral:
                return operands.WriteDestination(ref op, SizedInteger.Truncate(mmx.Read(op.SourceRegister), op.Size)) && mmx.Enter();
            case MmxOp.Move:
                return mmx.ReadSource(ref op, out ulong moved) && mmx.Write(op.DestinationRegister, moved);
            case MmxOp.Store:
                return memory.Store(operands.Address(ref op), 8, mmx.Read(op.SourceRegister)) && mmx.Enter();
            case MmxOp.MaskedStore: return StoreMmxMasked(ref op);
            case MmxOp.MoveToXmm:
                xmm[op.DestinationRegister] = Vector128.Create(mmx.Read(op.SourceRegister), 0).AsByte();
                return mmx.Enter();
            case MmxOp.MoveFromXmm:
                return mmx.Write(op.DestinationRegister, xmm[op.SourceRegister].AsUInt64().ToScalar());
            case MmxOp.InsertWord: return InsertMmxWord(ref op);
            case MmxOp.ExtractWord:
                operands.WriteRegister(
                    op.DestinationRegister, op.Size, mmx.Read(op.SourceRegister) >> (16 * ((int)op.Immediate & 3)) & 0xFFFF);
                return mmx.Enter();
            case MmxOp.ByteMask:
                operands.WriteRegister(op.DestinationRegister, op.Size, Vector64.Create(mmx.Read(op.SourceRegister)).AsByte().ExtractMostSignificantBits());
                return mmx.Enter();
            case MmxOp.Empty:
                x87.Top = 0;
                state->X87.Used = 0;
                return true;
            case >= MmxOp.ToSingles and <= MmxOp.FromDoublesTruncated: return mmxConversions.Convert(ref op, operation);
            default:
                return mmx.ReadSource(ref op, out ulong source) && mmx.Write(
                    op.DestinationRegister,
                    MmxArithmetic.Compute(operation, mmx.Read(op.DestinationRegister), source, (byte)op.Immediate));
        }
    }

    private bool InsertMmxWord(ref MicroOp op)
    {
        if (!operands.ReadSource(ref op, 2, out ulong word))
        {
            return false;
        }

        int shift = 16 * ((int)op.Immediate & 3);
        return mmx.Write(op.DestinationRegister, (mmx.Read(op.DestinationRegister) & ~(0xFFFFUL << shift)) | (word << shift));
    }

    /// <summary>Stores the bytes whose mask has its highest bit set.</summary>
    private bool StoreMmxMasked(ref MicroOp op)
    {
        ulong address = operands.Address(ref op);
        ulong mask = mmx.Read(op.SourceRegister) & 0x8080_8080_8080_8080;
        if (mask != 0 && !memory.PrepareStore(address, 8))
        {
            return false;
        }

        for (int i = 0; i < 8; i++)
        {
            if ((mask >> ((8 * i) + 7) & 1) != 0
                && !memory.Store(address + (ulong)i, 1, mmx.Read(op.DestinationRegister) >> (8 * i) & 0xFF))
            {
                return false;
            }
        }

        return mmx.Enter();
    }
}
