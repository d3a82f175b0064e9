using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Operands of instructions.</summary>
internal sealed partial class Processor
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Truncate(ulong value, int size) => value << (64 - (8 * size)) >> (64 - (8 * size));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SignExtend(ulong value, int size) =>
        (ulong)((long)(value << (64 - (8 * size))) >> (64 - (8 * size)));

    /// <summary>The address of a memory operand without its segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong EffectiveOffset(ref MicroOp op)
    {
        ulong offset = _regs[op.Base] + (_regs[op.Index] << op.Scale) + op.Displacement;
        return op.Address32 ? (uint)offset : offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Address(ref MicroOp op)
    {
        ulong offset = EffectiveOffset(ref op);
        return op.Segment == 0 ? offset : offset + SegmentBase(op.Segment);
    }

    /// <summary>The address of a memory operand that begins a distance away from where its registers say.</summary>
    private ulong Address(ref MicroOp op, ulong distance)
    {
        ulong offset = EffectiveOffset(ref op) + distance;
        return (op.Address32 ? (uint)offset : offset) + SegmentBase(op.Segment);
    }

    /// <summary>XLAT's operand: a byte of the table at RBX.</summary>
    private ulong TableAddress(ref MicroOp op)
    {
        ulong offset = _regs[Rbx] + (byte)_regs[Rax];
        return (op.Address32 ? (uint)offset : offset) + SegmentBase(op.Segment);
    }

    private ulong SegmentBase(int segment) => segment switch { 4 => _fs.Base, 5 => _gs.Base, _ => 0 };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteRegister(int register, int size, ulong value)
    {
        ref ulong target = ref _regs[register];
        target = size switch
        {
            8 => value,
            4 => (uint)value,
            2 => (target & ~0xFFFFUL) | (ushort)value,
            _ => (target & ~0xFFUL) | (byte)value,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadSource(ref MicroOp op, int size, out ulong value)
    {
        switch (op.Source)
        {
            case OperandKind.Register:
                value = Truncate(_regs[op.SourceRegister], size);
                return true;
            case OperandKind.Immediate:
                value = Truncate(op.Immediate, size);
                return true;
            case OperandKind.Memory:
                return Load(Address(ref op), size, out value);
            default:
                value = (byte)(_regs[op.SourceRegister] >> 8);
                return true;
        }
    }

    /// <summary>Reads a destination that is not written afterwards, or a single operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadDestination(ref MicroOp op, out ulong value)
    {
        switch (op.Destination)
        {
            case OperandKind.Register:
                value = Truncate(_regs[op.DestinationRegister], op.Size);
                return true;
            case OperandKind.Immediate:
                value = op.Immediate;
                return true;
            case OperandKind.Memory:
                return Load(Address(ref op), op.Size, out value);
            default:
                value = (byte)(_regs[op.DestinationRegister] >> 8);
                return true;
        }
    }

    /// <summary>Reads a destination that is written afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadForUpdate(ref MicroOp op, out ulong value)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return LoadForStore(Address(ref op), op.Size, out value);
        }

        value = op.Destination == OperandKind.Register
            ? Truncate(_regs[op.DestinationRegister], op.Size)
            : (byte)(_regs[op.DestinationRegister] >> 8);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool WriteDestination(ref MicroOp op, ulong value)
    {
        switch (op.Destination)
        {
            case OperandKind.Register:
                WriteRegister(op.DestinationRegister, op.Size, value);
                return true;
            case OperandKind.Memory:
                return Store(Address(ref op), op.Size, value);
            default:
                WriteHighByte(op.DestinationRegister, value);
                return true;
        }
    }

    /// <summary>Writes the register of a source operand, as XCHG and XADD do.</summary>
    private void WriteSourceRegister(ref MicroOp op, ulong value)
    {
        if (op.Source == OperandKind.HighByte)
        {
            WriteHighByte(op.SourceRegister, value);
        }
        else
        {
            WriteRegister(op.SourceRegister, op.Size, value);
        }
    }

    private void WriteHighByte(int register, ulong value) =>
        _regs[register] = (_regs[register] & ~0xFF00UL) | ((value & 0xFF) << 8);
}
