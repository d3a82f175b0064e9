using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Four-level paging.</summary>
internal sealed unsafe class AddressTranslation(
    ProcessorState* state,
    Tlb tlb,
    BlockCache blocks,
    PhysicalMemory physicalMemory,
    byte physicalAddressBits,
    PendingEvent pending,
    CodePlacesByPrivilege places,
    WriteObserver writes)
{
    private const ulong EntryPresent = 1;
    private const ulong EntryWritable = 2;
    private const ulong EntryUser = 4;
    private const ulong EntryAccessed = 0x20;
    private const ulong EntryDirty = 0x40;
    private const ulong EntryLarge = 0x80;
    private const ulong EntryGlobal = 0x100;
    private const ulong EntryNoExecute = 1UL << 63;
    private const ulong AddressMask = 0x000F_FFFF_FFFF_F000;
    private const ulong ErrorPresent = 1;
    private const ulong ErrorWrite = 2;
    private const ulong ErrorUser = 4;
    private const ulong ErrorReserved = 8;
    private const ulong ErrorFetch = 16;

    /// <summary>Address bits that the processor does not have must be zero in every entry.</summary>
    public ulong ReservedAddressBits { get; } = ReservedBits(physicalAddressBits);

    /// <inheritdoc cref="ReservedAddressBits"/>
    public static ulong ReservedBits(byte physicalAddressBits) => AddressMask & ~((1UL << physicalAddressBits) - 1);

    /// <summary>Finds the guest physical address of a linear one, or makes a fault pending.</summary>
    public bool Translate(ulong address, Access access, out ulong physical)
    {
        physical = 0;
        if (!LinearAddress.IsCanonical(address))
        {
            return pending.AddressFault();
        }

        ulong table = state->Control.Cr3 & AddressMask;
        bool writable = true;
        bool user = true;
        bool noExecute = false;
        for (int shift = 39; ; shift -= 9)
        {
            ulong entryAddress = EntryAddress(table, address, shift);
            if (!physicalMemory.TryGetPage(entryAddress, out HostPage page, out MemoryFlags flags))
            {
                return pending.ExitWith(VmExit.AccessViolation(entryAddress, MemoryFlags.Read));
            }

            ulong entry = page.Read(entryAddress, 8);
            if ((entry & EntryPresent) == 0)
            {
                return PageFault(address, access, 0);
            }

            bool isLeaf = IsLeaf(entry, shift);
            if (HasReservedBits(entry, shift, isLeaf))
            {
                return PageFault(address, access, ErrorPresent | ErrorReserved);
            }

            writable &= (entry & EntryWritable) != 0;
            user &= (entry & EntryUser) != 0;
            noExecute |= (entry & EntryNoExecute) != 0;
            if (isLeaf)
            {
                if (!IsPermitted(access, writable, user, noExecute))
                {
                    return PageFault(address, access, ErrorPresent);
                }

                ulong mark = EntryAccessed | (access == Access.Write ? EntryDirty : 0);
                Mark(page, flags, entryAddress, entry, mark);
                physical = PhysicalAddress(entry, address, shift);
                Remember(address, access, physical, entry | mark, shift, writable, user, noExecute);
                return true;
            }

            Mark(page, flags, entryAddress, entry, EntryAccessed);
            table = entry & AddressMask;
        }
    }

    /// <summary>
    /// Whether a page of code is where it was. A page that the guest has not accessed since its tables changed counts as moved, and is looked
    /// up again when it is.
    /// </summary>
    public bool IsInPlace(CodePlace place) => LeadsTo(place.Address, place.Page, out bool isAccessed) && isAccessed;

    /// <summary>Whether the page tables lead to a page of code. The guest sees no effect.</summary>
    /// <param name="address">The linear address of the page.</param>
    /// <param name="expected">The page.</param>
    /// <param name="isAccessed">Whether the guest has accessed it already.</param>
    public bool LeadsTo(ulong address, HostPage expected, out bool isAccessed)
    {
        isAccessed = true;
        ulong table = state->Control.Cr3 & AddressMask;
        bool user = true;
        bool noExecute = false;
        for (int shift = 39; ; shift -= 9)
        {
            ulong entryAddress = EntryAddress(table, address, shift);
            if (!physicalMemory.TryGetPage(entryAddress, out HostPage page, out MemoryFlags flags))
            {
                return false;
            }

            ulong entry = page.Read(entryAddress, 8);
            bool isLeaf = IsLeaf(entry, shift);
            if ((entry & EntryPresent) == 0 || HasReservedBits(entry, shift, isLeaf))
            {
                return false;
            }

            isAccessed &= (entry & EntryAccessed) != 0 || (flags & MemoryFlags.Write) == 0;

            user &= (entry & EntryUser) != 0;
            noExecute |= (entry & EntryNoExecute) != 0;
            if (isLeaf)
            {
                if (shift > 12)
                {
                    // INVLPG of any address in the page concerns the place.
                    tlb.NoteLargePage();
                }

                return IsPermitted(Access.Fetch, writable: false, user, noExecute)
                    && physicalMemory.TryGetPage(PhysicalAddress(entry, address, shift), out HostPage code, out MemoryFlags permitted)
                    && (permitted & MemoryFlags.Execute) != 0 && code.Identity == expected.Identity;
            }

            table = entry & AddressMask;
        }
    }

    private static ulong EntryAddress(ulong table, ulong address, int shift) => table + (((address >> shift) & 511) * 8);

    private static bool IsLeaf(ulong entry, int shift) => shift == 12 || (shift <= 30 && (entry & EntryLarge) != 0);

    private static ulong PhysicalAddress(ulong entry, ulong address, int shift)
    {
        ulong offsetMask = (1UL << shift) - 1;
        return (entry & AddressMask & ~offsetMask) | (address & offsetMask);
    }

    private bool HasReservedBits(ulong entry, int shift, bool isLeaf)
    {
        ulong reserved = ReservedAddressBits;
        if ((state->Control.Efer & EferNoExecute) == 0)
        {
            reserved |= EntryNoExecute;
        }

        if (shift == 39)
        {
            reserved |= EntryLarge;
        }
        else if (isLeaf && shift > 12)
        {
            // Bit 12 of a large page's entry is its PAT bit.
            reserved |= ((1UL << shift) - 1) & ~0x1FFFUL;
        }

        return (entry & reserved) != 0;
    }

    private bool IsPermitted(Access access, bool writable, bool user, bool noExecute) =>
        (!state->Segments.IsUser || user) && access switch
        {
            Access.Write => writable || (!state->Segments.IsUser && (state->Control.Cr0 & Cr0WriteProtect) == 0),
            Access.Fetch => !noExecute && (state->Segments.IsUser || !user || (state->Control.Cr4 & Cr4Smep) == 0),
            _ => true,
        } && (access == Access.Fetch || state->Segments.IsUser || !user || (state->Control.Cr4 & Cr4Smap) == 0
            || ((state->Results.Other & FlagAlignment) != 0 && !state->Segments.IsImplicit));

    /// <summary>Sets accessed and dirty bits, where the table can be written.</summary>
    private void Mark(HostPage page, MemoryFlags flags, ulong entryAddress, ulong entry, ulong mark)
    {
        if ((entry & mark) == mark || (flags & MemoryFlags.Write) == 0)
        {
            return;
        }

        writes.Note(page, entryAddress, 8);
        page.Write(entryAddress, entry | mark, 8);
    }

    private bool PageFault(ulong address, Access access, ulong error)
    {
        error |= access == Access.Write ? ErrorWrite : 0;
        error |= state->Segments.IsUser ? ErrorUser : 0;
        if (access == Access.Fetch && ((state->Control.Efer & EferNoExecute) != 0 || (state->Control.Cr4 & Cr4Smep) != 0))
        {
            error |= ErrorFetch;
        }

        state->Control.Cr2 = address;

        // The processor forgets a translation that faulted, so that the handler can change the tables without INVLPG.
        places.Forget(address);
        return pending.Fault(PageFaultVector, error);
    }

    private void Remember(
        ulong address, Access access, ulong physical, ulong entry, int shift, bool writable, bool user, bool noExecute)
    {
        if (!physicalMemory.TryGetPage(physical, out HostPage page, out MemoryFlags flags))
        {
            return;
        }

        ulong tag = address & ~HostPage.OffsetMask;

        // EFLAGS.AC opens user pages to the supervisor under SMAP, without a flush when it changes; and an access that a
        // breakpoint may watch is looked at each time.
        bool isCached = !state->Debug.IsWatching && (state->Segments.IsUser || !user || (state->Control.Cr4 & Cr4Smap) == 0);
        bool isData = isCached && IsPermitted(Access.Read, writable, user, noExecute) && (flags & MemoryFlags.Read) != 0;
        bool isWritable = isData && (entry & EntryDirty) != 0 && (flags & MemoryFlags.Write) != 0
            && IsPermitted(Access.Write, writable, user, noExecute) && !blocks.HasCode(page);

        // A page that was not written yet must not be writable unnoticed. This access may be about to write it.
        isWritable = isWritable && (access == Access.Write || physicalMemory.IsWritten(physical));
        if (isWritable)
        {
            physicalMemory.NoteWrite(physical);
        }

        bool isCode = (flags & MemoryFlags.Execute) != 0 && IsPermitted(Access.Fetch, writable, user, noExecute);
        ref TlbEntry slot = ref tlb.SlotToFill(address, isGlobal: (entry & EntryGlobal) != 0 && (state->Control.Cr4 & Cr4Global) != 0);
        ulong invalid = Tlb.InvalidFor(address);
        slot.Page = page;
        slot.ReadTag = isData ? tag : invalid;
        slot.WriteTag = isWritable ? tag : invalid;
        slot.FetchTag = isCode ? tag : invalid;
        if (shift > 12)
        {
            tlb.NoteLargePage();
        }
    }
}
