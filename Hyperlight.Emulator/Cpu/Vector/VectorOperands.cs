using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Operands of vector instructions.</summary>
internal readonly struct VectorOperands(XmmFile xmm, PendingEvent pending, LinearMemory memory, Operands operands)
{
    /// <summary>The operands of most instructions have to be aligned.</summary>
    public bool IsAligned(ulong address) => (address & (LinearMemory.VectorSize - 1)) == 0 || pending.Fault(GeneralProtection, 0);

    /// <summary>Reads a source of at most 16 bytes; what memory does not hold of the register is zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Read(ref MicroOp op, out Vector128<byte> value)
    {
        if (op.Source == OperandKind.Register)
        {
            value = xmm[op.SourceRegister];
            return true;
        }

        return LoadOperand(ref op, out value);
    }

    private bool LoadOperand(ref MicroOp op, out Vector128<byte> value)
    {
        ulong address = operands.Address(ref op);
        if (op.SourceSize == LinearMemory.VectorSize)
        {
            value = default;
            return IsAligned(address) && memory.LoadVector(address, out value);
        }

        bool isLoaded = memory.Load(address, op.SourceSize, out ulong part);
        value = Vector128.CreateScalar(part).AsByte();
        return isLoaded;
    }

    /// <summary>Reads the lowest element of a source: up to 8 bytes of a register or memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool ReadElement(ref MicroOp op, int size, out ulong value)
    {
        if (op.Source == OperandKind.Register)
        {
            value = SizedInteger.Truncate(xmm[op.SourceRegister].AsUInt64().ToScalar(), size);
            return true;
        }

        return memory.Load(operands.Address(ref op), size, out value);
    }

    /// <summary>Replaces the lowest element of a register, which keeps the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void WriteElement(int register, int size, ulong value)
    {
        ref Vector128<byte> target = ref xmm[register];
        target = size == 8
            ? target.AsUInt64().WithElement(0, value).AsByte()
            : target.AsUInt32().WithElement(0, (uint)value).AsByte();
    }
}
