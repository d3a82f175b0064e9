using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Access to 16 bytes of linear memory, and the operands of vector instructions.</summary>
internal sealed partial class Processor
{
    private const int VectorSize = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool LoadVector(ulong address, out Vector128<byte> value)
    {
        ref TlbEntry entry = ref _tlb.Slot(address);
        if (entry.ReadTag == (address & ~HostPage.OffsetMask) && HostPage.Fits(address, VectorSize))
        {
            value = entry.Page.ReadVector(address);
            return true;
        }

        return LoadVectorSlow(address, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool StoreVector(ulong address, Vector128<byte> value)
    {
        ref TlbEntry entry = ref _tlb.Slot(address);
        if (entry.WriteTag == (address & ~HostPage.OffsetMask) && HostPage.Fits(address, VectorSize))
        {
            entry.Page.WriteVector(address, value);
            return true;
        }

        return StoreVectorSlow(address, value);
    }

    private bool LoadVectorSlow(ulong address, out Vector128<byte> value)
    {
        value = default;
        if (!IsCanonicalRange(address, VectorSize))
        {
            return AddressFault();
        }

        ulong last = address + VectorSize - 1;

        // Both pages are looked at before anything is read: a fault names the byte that the processor names.
        if (!HostPage.Fits(address, VectorSize)
            && (!Translate(address, Access.Read, out _) || !Translate(last & ~HostPage.OffsetMask, Access.Read, out _)))
        {
            return false;
        }

        if (!Load(address, 8, out ulong low) || !Load(address + 8, 8, out ulong high))
        {
            return false;
        }

        value = Vector128.Create(low, high).AsByte();
        return true;
    }

    private bool StoreVectorSlow(ulong address, Vector128<byte> value)
    {
        ulong low = value.AsUInt64()[0];
        ulong high = value.AsUInt64()[1];
        if (!IsCanonicalRange(address, VectorSize))
        {
            return AddressFault();
        }

        if (!HostPage.Fits(address, VectorSize))
        {
            ulong second = (address + VectorSize - 1) & ~HostPage.OffsetMask;
            if (!Translate(address, Access.Write, out ulong first) || !Translate(second, Access.Write, out ulong next))
            {
                return false;
            }

            // Nothing is written unless all of it can be.
            if (!IsWritable(first, low) || !IsWritable(next, high))
            {
                return false;
            }
        }

        // In one page the second half can be written if the first can.
        return Store(address, 8, low) && Store(address + 8, 8, high);
    }

    /// <summary>The operands of most instructions have to be aligned.</summary>
    private bool IsAligned(ulong address) => (address & (VectorSize - 1)) == 0 || Fault(GeneralProtection, 0);

    /// <summary>Reads a source of at most 16 bytes; what memory does not hold of the register is zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadVector(ref MicroOp op, out Vector128<byte> value)
    {
        if (op.Source == OperandKind.Register)
        {
            value = _xmm[op.SourceRegister];
            return true;
        }

        return LoadVectorOperand(ref op, out value);
    }

    private bool LoadVectorOperand(ref MicroOp op, out Vector128<byte> value)
    {
        ulong address = Address(ref op);
        if (op.SourceSize == VectorSize)
        {
            value = default;
            return IsAligned(address) && LoadVector(address, out value);
        }

        bool isLoaded = Load(address, op.SourceSize, out ulong part);
        value = Vector128.CreateScalar(part).AsByte();
        return isLoaded;
    }

    /// <summary>Reads the lowest element of a source: up to 8 bytes of a register or memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool ReadElement(ref MicroOp op, int size, out ulong value)
    {
        if (op.Source == OperandKind.Register)
        {
            value = Truncate(_xmm[op.SourceRegister].AsUInt64().ToScalar(), size);
            return true;
        }

        return Load(Address(ref op), size, out value);
    }

    /// <summary>Replaces the lowest element of a register, which keeps the others.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void WriteElement(int register, int size, ulong value)
    {
        ref Vector128<byte> target = ref _xmm[register];
        target = size == 8
            ? target.AsUInt64().WithElement(0, value).AsByte()
            : target.AsUInt32().WithElement(0, (uint)value).AsByte();
    }
}
