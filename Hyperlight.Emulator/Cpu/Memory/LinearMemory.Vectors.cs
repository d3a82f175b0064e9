using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Access to 16 bytes.</summary>
internal sealed partial class LinearMemory
{
    public const int VectorSize = 16;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool LoadVector(ulong address, out Vector128<byte> value)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
        if (entry.ReadTag == (address & ~HostPage.OffsetMask) && HostPage.Fits(address, VectorSize))
        {
            value = entry.Page.ReadVector(address);
            return true;
        }

        return LoadVectorSlow(address, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool StoreVector(ulong address, Vector128<byte> value)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
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
        if (!LinearAddress.IsCanonicalRange(address, VectorSize))
        {
            return pending.AddressFault();
        }

        ulong last = address + VectorSize - 1;

        // Both pages are looked at before anything is read: a fault names the byte that the processor names.
        if (!HostPage.Fits(address, VectorSize)
            && (!translation.Translate(address, Access.Read, out _) || !translation.Translate(last & ~HostPage.OffsetMask, Access.Read, out _)))
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
        if (!LinearAddress.IsCanonicalRange(address, VectorSize))
        {
            return pending.AddressFault();
        }

        if (!HostPage.Fits(address, VectorSize))
        {
            ulong second = (address + VectorSize - 1) & ~HostPage.OffsetMask;
            if (!translation.Translate(address, Access.Write, out ulong first) || !translation.Translate(second, Access.Write, out ulong next))
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
}
