using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Instructions on MMX registers, which are the significands of the x87 registers. Each of them makes the
/// first register the top of the stack and all of them in use, or empty in the case of EMMS.
/// </summary>
internal sealed partial class Processor
{
    /// <summary>What stands where an x87 value would have its sign and exponent.</summary>
    private const ushort MmxExponent = 0xFFFF;

    private bool ExecuteMmx(ref MicroOp op)
    {
        var operation = (MmxOp)op.Function;
        if ((_cr0 & (Cr0Emulation | Cr0TaskSwitched)) != 0)
        {
            return Fault((_cr0 & Cr0Emulation) != 0 ? InvalidOpcode : DeviceNotAvailable, 0);
        }

        if (IsMathFaultPending)
        {
            return Fault(MathFault, 0);
        }

        switch (operation)
        {
            case MmxOp.MoveFromGeneral:
                return ReadSource(ref op, op.SourceSize, out ulong general) && WriteMmx(op.DestinationRegister, general);
            case MmxOp.MoveToGeneral:
                return WriteDestination(ref op, Truncate(Mmx(op.SourceRegister), op.Size)) && EnterMmx();
            case MmxOp.Move:
                return ReadMmxSource(ref op, out ulong moved) && WriteMmx(op.DestinationRegister, moved);
            case MmxOp.Store:
                return Store(Address(ref op), 8, Mmx(op.SourceRegister)) && EnterMmx();
            case MmxOp.MaskedStore: return StoreMmxMasked(ref op);
            case MmxOp.MoveToXmm:
                _xmm[op.DestinationRegister] = Vector128.Create(Mmx(op.SourceRegister), 0).AsByte();
                return EnterMmx();
            case MmxOp.MoveFromXmm:
                return WriteMmx(op.DestinationRegister, _xmm[op.SourceRegister].AsUInt64().ToScalar());
            case MmxOp.InsertWord: return InsertMmxWord(ref op);
            case MmxOp.ExtractWord:
                WriteRegister(
                    op.DestinationRegister, op.Size, Mmx(op.SourceRegister) >> (16 * ((int)op.Immediate & 3)) & 0xFFFF);
                return EnterMmx();
            case MmxOp.ByteMask:
                WriteRegister(op.DestinationRegister, op.Size, Vector64.Create(Mmx(op.SourceRegister)).AsByte().ExtractMostSignificantBits());
                return EnterMmx();
            case MmxOp.Empty:
                Top = 0;
                _x87Used = 0;
                return true;
            case >= MmxOp.ToSingles and <= MmxOp.FromDoublesTruncated: return ConvertMmx(ref op, operation);
            default:
                return ReadMmxSource(ref op, out ulong source) && WriteMmx(
                    op.DestinationRegister,
                    MmxArithmetic.Compute(operation, Mmx(op.DestinationRegister), source, (byte)op.Immediate));
        }
    }

    private ulong Mmx(int register) => _x87[register].Significand;

    private bool WriteMmx(int register, ulong value)
    {
        _x87[register] = new Float80(MmxExponent, value);
        return EnterMmx();
    }

    private bool EnterMmx()
    {
        Top = 0;
        _x87Used = byte.MaxValue;
        return true;
    }

    /// <summary>Reads eight bytes of the last operand; the unpacking of low halves needs but four of them.</summary>
    private bool ReadMmxSource(ref MicroOp op, out ulong value)
    {
        switch (op.Source)
        {
            case OperandKind.Memory:
                return Load(Address(ref op), op.SourceSize, out value);
            case OperandKind.Immediate:
                value = op.Immediate;
                return true;
            default:
                value = Mmx(op.SourceRegister);
                return true;
        }
    }

    private bool InsertMmxWord(ref MicroOp op)
    {
        if (!ReadSource(ref op, 2, out ulong word))
        {
            return false;
        }

        int shift = 16 * ((int)op.Immediate & 3);
        return WriteMmx(op.DestinationRegister, (Mmx(op.DestinationRegister) & ~(0xFFFFUL << shift)) | (word << shift));
    }

    /// <summary>Stores the bytes whose mask has its highest bit set.</summary>
    private bool StoreMmxMasked(ref MicroOp op)
    {
        ulong address = Address(ref op);
        ulong mask = Mmx(op.SourceRegister) & 0x8080_8080_8080_8080;
        if (mask != 0 && !PrepareStore(address, 8))
        {
            return false;
        }

        for (int i = 0; i < 8; i++)
        {
            if ((mask >> ((8 * i) + 7) & 1) != 0
                && !Store(address + (ulong)i, 1, Mmx(op.DestinationRegister) >> (8 * i) & 0xFF))
            {
                return false;
            }
        }

        return EnterMmx();
    }
}
