using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Operands of instructions.</summary>
internal readonly unsafe struct Operands(ProcessorState* state, RegisterFile registers, LinearMemory memory)
{
    /// <summary>The address of a memory operand without its segment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong EffectiveOffset(ref MicroOp op) => EffectiveOffset(registers, ref op);

    /// <inheritdoc cref="EffectiveOffset(ref MicroOp)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong EffectiveOffset(RegisterFile registers, ref MicroOp op)
    {
        ulong offset = registers[op.Base] + (registers[op.Index] << op.Scale) + op.Displacement;
        return op.Address32 ? (uint)offset : offset;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Address(ref MicroOp op)
    {
        ulong offset = EffectiveOffset(ref op);
        return op.Segment == 0 ? offset : offset + SegmentBase(op.Segment);
    }

    /// <summary>The address of a memory operand that begins a distance away from where its registers say.</summary>
    public ulong Address(ref MicroOp op, ulong distance)
    {
        ulong offset = EffectiveOffset(ref op) + distance;
        return (op.Address32 ? (uint)offset : offset) + SegmentBase(op.Segment);
    }

    /// <summary>XLAT's operand: a byte of the table at RBX.</summary>
    public ulong TableAddress(ref MicroOp op)
    {
        ulong offset = registers[Rbx] + (byte)registers[Rax];
        return (op.Address32 ? (uint)offset : offset) + SegmentBase(op.Segment);
    }

    public ulong SegmentBase(int segment) => segment switch { 4 => state->Segments.Fs.Base, 5 => state->Segments.Gs.Base, _ => 0 };

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteRegister(int register, int size, ulong value)
    {
        ref ulong target = ref registers[register];
        target = size switch
        {
            8 => value,
            4 => (uint)value,
            2 => (target & ~0xFFFFUL) | (ushort)value,
            _ => (target & ~0xFFUL) | (byte)value,
        };
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ReadSource(ref MicroOp op, int size, out ulong value)
    {
        switch (op.Source)
        {
            case OperandKind.Register:
                value = SizedInteger.Truncate(registers[op.SourceRegister], size);
                return true;
            case OperandKind.Immediate:
                value = SizedInteger.Truncate(op.Immediate, size);
                return true;
            case OperandKind.Memory:
                return memory.Load(Address(ref op), size, out value);
            default:
                value = (byte)(registers[op.SourceRegister] >> 8);
                return true;
        }
    }

    /// <summary>Reads a destination that is not written afterwards, or a single operand.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ReadDestination(ref MicroOp op, out ulong value)
    {
        switch (op.Destination)
        {
            case OperandKind.Register:
                value = SizedInteger.Truncate(registers[op.DestinationRegister], op.Size);
                return true;
            case OperandKind.Immediate:
                value = op.Immediate;
                return true;
            case OperandKind.Memory:
                return memory.Load(Address(ref op), op.Size, out value);
            default:
                value = (byte)(registers[op.DestinationRegister] >> 8);
                return true;
        }
    }

    /// <summary>Reads a destination that is written afterwards.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ReadForUpdate(ref MicroOp op, out ulong value)
    {
        if (op.Destination == OperandKind.Memory)
        {
            return memory.LoadForStore(Address(ref op), op.Size, out value);
        }

        value = op.Destination == OperandKind.Register
            ? SizedInteger.Truncate(registers[op.DestinationRegister], op.Size)
            : (byte)(registers[op.DestinationRegister] >> 8);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool WriteDestination(ref MicroOp op, ulong value)
    {
        switch (op.Destination)
        {
            case OperandKind.Register:
                WriteRegister(op.DestinationRegister, op.Size, value);
                return true;
            case OperandKind.Memory:
                return memory.Store(Address(ref op), op.Size, value);
            default:
                WriteHighByte(op.DestinationRegister, value);
                return true;
        }
    }

    /// <summary>Writes the register of a source operand, as XCHG and XADD do.</summary>
    public void WriteSourceRegister(ref MicroOp op, ulong value)
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
        registers[register] = (registers[register] & ~0xFF00UL) | ((value & 0xFF) << 8);

    /// <summary>EDX:EAX.</summary>
    public ulong ReadWide() => (uint)registers[Rax] | (registers[Rdx] << 32);

    /// <inheritdoc cref="ReadWide"/>
    public void WriteWide(ulong value)
    {
        registers[Rax] = (uint)value;
        registers[Rdx] = value >> 32;
    }

    /// <summary>Memory gets 16 bits, whatever the size of a register would be.</summary>
    public bool StoreWord(ref MicroOp op, ulong value) => op.Destination == OperandKind.Memory
        ? memory.Store(Address(ref op), 2, value)
        : WriteDestination(ref op, value);
}
