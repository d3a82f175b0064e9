using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Access to linear memory. Each access returns whether it succeeded; if not, what happens instead is pending.</summary>
internal sealed unsafe partial class LinearMemory(
    ProcessorState* state,
    RegisterFile registers,
    Tlb tlb,
    PhysicalMemory physicalMemory,
    PendingEvent pending,
    PrivilegeLevel privilege,
    WriteObserver writes,
    Breakpoints breakpoints,
    AddressTranslation translation)
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Load(ulong address, int size, out ulong value)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
        if (entry.ReadTag == (address & ~HostPage.OffsetMask) && HostPage.Fits(address, size))
        {
            value = entry.Page.Read(address, size);
            return true;
        }

        return LoadSlow(address, size, Access.Read, out value);
    }

    /// <summary>Loads what the same instruction will store back: the page must be writable.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool LoadForStore(ulong address, int size, out ulong value)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
        if (entry.WriteTag == (address & ~HostPage.OffsetMask) && HostPage.Fits(address, size))
        {
            value = entry.Page.Read(address, size);
            return true;
        }

        return LoadSlow(address, size, Access.Write, out value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Store(ulong address, int size, ulong value)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
        if (entry.WriteTag == (address & ~HostPage.OffsetMask) && HostPage.Fits(address, size))
        {
            entry.Page.Write(address, value, size);
            return true;
        }

        return StoreSlow(address, size, value);
    }

    public bool LoadSlow(ulong address, int size, Access access, out ulong value)
    {
        value = 0;
        if (!HostPage.Fits(address, size))
        {
            return LoadAcross(address, size, access, out value);
        }

        if (!translation.Translate(address, access, out ulong physical))
        {
            return false;
        }

        if (!physicalMemory.TryGetPage(physical, out HostPage page, out MemoryFlags flags) || (flags & MemoryFlags.Read) == 0)
        {
            return pending.ExitWith(physicalMemory.RefusedRead(physical, size));
        }

        if (state->Debug.IsWatching && access == Access.Read)
        {
            breakpoints.NoteWatched(address, size, isWrite: false);
        }

        value = page.Read(address, size);
        return true;
    }

    private bool LoadAcross(ulong address, int size, Access access, out ulong value)
    {
        value = 0;
        if (!LinearAddress.IsCanonicalRange(address, size))
        {
            return pending.AddressFault();
        }

        int first = (int)(HostPage.Size - (address & HostPage.OffsetMask));
        if (AreTranslated(address, address + (ulong)first, access, out HostPage low, out HostPage high))
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            bytes.Clear();
            low.Slice(address, first).CopyTo(bytes);
            high.Slice(0, size - first).CopyTo(bytes[first..]);
            value = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            return true;
        }

        for (int i = 0; i < size; i++)
        {
            // The page of the last byte is looked at before anything is read: a fault names it as the processor does.
            if (i == 0 && (!translation.Translate(address, access, out _) || !translation.Translate(address + (ulong)first, access, out _)))
            {
                return false;
            }

            if (!LoadSlow(address + (ulong)i, 1, access, out ulong part))
            {
                return false;
            }

            value |= part << (8 * i);
        }

        return true;
    }

    /// <summary>Loads a value and another one behind it, as of a far pointer.</summary>
    public bool LoadTwo(ulong address, int firstSize, out ulong first, int secondSize, out ulong second)
    {
        (first, second) = (0, 0);
        return LinearAddress.IsCanonicalRange(address, firstSize + secondSize)
            ? Load(address, firstSize, out first) && Load(address + (ulong)firstSize, secondSize, out second)
            : pending.AddressFault();
    }

    private bool StoreSlow(ulong address, int size, ulong value)
    {
        if (!HostPage.Fits(address, size))
        {
            return StoreAcross(address, size, value);
        }

        if (!translation.Translate(address, Access.Write, out ulong physical))
        {
            return false;
        }

        if (!physicalMemory.TryGetPage(physical, out HostPage page, out MemoryFlags flags) || (flags & MemoryFlags.Write) == 0)
        {
            ulong mask = size == 8 ? ulong.MaxValue : (1UL << (8 * size)) - 1;
            return pending.ExitWith(VmExit.MmioWrite(physical, value & mask, (byte)size));
        }

        if (state->Debug.IsWatching)
        {
            breakpoints.NoteWatched(address, size, isWrite: true);
        }

        writes.Note(page, physical, size);
        page.Write(address, value, size);
        return true;
    }

    private bool StoreAcross(ulong address, int size, ulong value)
    {
        if (!LinearAddress.IsCanonicalRange(address, size))
        {
            return pending.AddressFault();
        }

        int inFirst = (int)(HostPage.Size - (address & HostPage.OffsetMask));
        ulong second = address + (ulong)inFirst;
        if (AreTranslated(address, second, Access.Write, out HostPage lowPage, out HostPage highPage))
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            bytes[..inFirst].CopyTo(lowPage.From(address));
            bytes[inFirst..size].CopyTo(highPage.From(0));
            return true;
        }

        if (!translation.Translate(address, Access.Write, out ulong low) || !translation.Translate(second, Access.Write, out ulong high))
        {
            return false;
        }

        // Nothing is written unless all of it can be.
        if (!IsWritable(low, value) || !IsWritable(high, value >> (8 * inFirst)))
        {
            return false;
        }

        for (int i = 0; i < size; i++)
        {
            if (!StoreSlow(address + (ulong)i, 1, value >> (8 * i)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether translations permit an access to two pages without further checks.</summary>
    private bool AreTranslated(ulong first, ulong second, Access access, out HostPage low, out HostPage high)
    {
        ref TlbEntry one = ref tlb.Slot(first);
        ref TlbEntry two = ref tlb.Slot(second);
        (low, high) = (one.Page, two.Page);
        bool isWrite = access == Access.Write;
        return (isWrite ? one.WriteTag : one.ReadTag) == (first & ~HostPage.OffsetMask)
            && (isWrite ? two.WriteTag : two.ReadTag) == (second & ~HostPage.OffsetMask);
    }

    private bool IsWritable(ulong physical, ulong value) =>
        (physicalMemory.TryGetPage(physical, out _, out MemoryFlags flags) && (flags & MemoryFlags.Write) != 0)
        || pending.ExitWith(VmExit.MmioWrite(physical, value & 0xFF, 1));
}
