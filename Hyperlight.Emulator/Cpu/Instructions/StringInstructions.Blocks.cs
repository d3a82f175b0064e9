using System.Numerics;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Elements of a repeated string instruction that are executed together. They follow one that was executed by itself and lie in
/// the pages that it used: so the pages are translated, permitted and marked, and no element can fault before all are done.
/// </summary>
internal sealed unsafe partial class StringInstructions
{
    /// <summary>Fewer are executed one by one, which takes less time.</summary>
    private const int FewestJoined = 8;

    /// <summary>
    /// Executes elements of a copy or a fill up to the end of a page, if the translations of the pages permit them without further checks.
    /// </summary>
    /// <param name="op">The instruction.</param>
    /// <param name="most">How many may be executed.</param>
    /// <returns>How many were: none where the next one has to be executed by itself.</returns>
    private int ExecuteInPages(ref MicroOp op, int most)
    {
        if (op.Op is not (Op.Movs or Op.Stos) || op.Address32 || flags.Backwards || !MayJoin(ref op))
        {
            return 0;
        }

        int shift = BitOperations.TrailingZeroCount(op.Size);
        ulong destination = registers[Rdi];
        ref TlbEntry to = ref tlb.Slot(destination);
        int count = (int)Math.Min(Math.Min(registers[Rcx], (ulong)most), ElementsToEnd(destination, shift));
        if (count < FewestJoined || to.WriteTag != (destination & ~HostPage.OffsetMask))
        {
            return 0;
        }

        if (op.Op == Op.Stos)
        {
            StringElements.Fill(to.Page.Slice(destination, count << shift), op.Size, registers[Rax]);
        }
        else
        {
            ulong source = SourceAddress(ref op, ulong.MaxValue);
            ref TlbEntry from = ref tlb.Slot(source);
            count = (int)Math.Min((ulong)count, ElementsToEnd(source, shift));
            if (count < FewestJoined || from.ReadTag != (source & ~HostPage.OffsetMask))
            {
                return 0;
            }

            StringElements.Move(from.Page.Slice(source, count << shift), to.Page.Slice(destination, count << shift), op.Size, backwards: false);
        }

        Advance(ref op, (ulong)count << shift, ulong.MaxValue);
        registers[Rcx] -= (ulong)count;
        return count;
    }

    /// <summary>How many whole elements there are from an address to the end of its page.</summary>
    private static ulong ElementsToEnd(ulong address, int shift) => (HostPage.Size - (address & HostPage.OffsetMask)) >> shift;

    /// <summary>Executes elements that follow one in the same pages.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="source">The linear address of the source of the element before.</param>
    /// <param name="destination">The same for its destination.</param>
    /// <param name="most">How many may be executed.</param>
    /// <param name="count">How many were: none where they have to be executed one by one.</param>
    /// <returns>Whether nothing is pending.</returns>
    private bool ExecuteFollowing(ref MicroOp op, ulong source, ulong destination, int most, out int count)
    {
        bool hasSource = op.Op is Op.Movs or Op.Lods or Op.Cmps;
        bool hasDestination = op.Op != Op.Lods;
        count = 0;
        if (!MayJoin(ref op))
        {
            return true;
        }

        ulong mask = op.Address32 ? uint.MaxValue : ulong.MaxValue;
        int joined = (int)Math.Min(registers[Rcx] & mask, (ulong)most);
        joined = hasSource ? Math.Min(joined, CountInPage(source, SourceAddress(ref op, mask), op.Size)) : joined;
        joined = hasDestination ? Math.Min(joined, CountInPage(destination, registers[Rdi] & mask, op.Size)) : joined;
        if (joined < FewestJoined)
        {
            return true;
        }

        // The lowest of the addresses.
        int length = joined * op.Size;
        ulong back = flags.Backwards ? (ulong)(length - op.Size) : 0;
        source = SourceAddress(ref op, mask) - back;
        destination = (registers[Rdi] & mask) - back;
        Span<byte> from = default;
        Span<byte> to = default;
        if ((hasSource && !FindElements(source, length, Access.Read, out from))
            || (hasDestination && !FindElements(destination, length, op.Op is Op.Movs or Op.Stos ? Access.Write : Access.Read, out to)))
        {
            return false;
        }

        if (from.IsEmpty != hasSource && to.IsEmpty != hasDestination)
        {
            count = ExecuteJoined(ref op, from, to);
            Advance(ref op, (ulong)(flags.Backwards ? -count * op.Size : count * op.Size), mask);
            registers[Rcx] = (registers[Rcx] - (ulong)count) & mask;
        }

        return true;
    }

    /// <summary>Not OUTS, and no source whose addresses wrap around inside a page.</summary>
    private bool MayJoin(ref MicroOp op) => options.JoinsStringElements && op.Op != Op.Outs && state->BlockEnd != 0
        && (!op.Address32 || operands.SegmentBase(op.Segment) == 0);

    /// <summary>How many elements, from the next on, lie in the page of the element before.</summary>
    private int CountInPage(ulong before, ulong next, int size)
    {
        int offset = (int)(next & HostPage.OffsetMask);
        bool isSame = (before & ~HostPage.OffsetMask) == (next & ~HostPage.OffsetMask);
        return !isSame ? 0 : flags.Backwards ? (offset / size) + 1 : (HostPage.Size - offset) / size;
    }

    /// <summary>
    /// Finds the host memory of elements: none if each has to be looked at, because it has no memory, or is code that a write
    /// changes. Another translation may have taken the place of the one that the element before used.
    /// </summary>
    /// <returns>Whether nothing is pending.</returns>
    private bool FindElements(ulong address, int length, Access access, out Span<byte> elements)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
        if ((access == Access.Write ? entry.WriteTag : entry.ReadTag) == (address & ~HostPage.OffsetMask))
        {
            elements = entry.Page.Slice(address, length);
            return true;
        }

        elements = default;
        if (!translation.Translate(address, access, out ulong physical))
        {
            return false;
        }

        MemoryFlags needed = access == Access.Write ? MemoryFlags.Write : MemoryFlags.Read;
        if (!physicalMemory.TryGetPage(physical, out HostPage page, out MemoryFlags flags) || (flags & needed) == 0
            || (access == Access.Write && blocks.HasCode(page, address, length)))
        {
            return true;
        }

        if (access == Access.Write)
        {
            // The element before may have changed the page tables.
            physicalMemory.NoteWrite(physical);
        }

        elements = page.Slice(address, length);
        return true;
    }

    /// <summary>Executes elements. Of those that are compared, up to the one that ends the repetition.</summary>
    /// <returns>How many were executed.</returns>
    private int ExecuteJoined(ref MicroOp op, ReadOnlySpan<byte> from, Span<byte> to)
    {
        int count = Math.Max(from.Length, to.Length) / op.Size;
        switch (op.Op)
        {
            case Op.Movs:
                StringElements.Move(from, to, op.Size, flags.Backwards);
                return count;
            case Op.Stos:
                StringElements.Fill(to, op.Size, registers[Rax]);
                return count;
            case Op.Lods:
                operands.WriteRegister(Rax, op.Size, StringElements.Read(from, op.Size, count - 1, flags.Backwards));
                return count;
        }

        bool whileEqual = op.Repeat == Repeat.WhileEqual;
        count = op.Op == Op.Scas
            ? StringElements.Scan(to, op.Size, _comparedLeft, whileEqual, flags.Backwards)
            : StringElements.Compare(from, to, op.Size, whileEqual, flags.Backwards);
        if (op.Op == Op.Cmps)
        {
            _comparedLeft = StringElements.Read(from, op.Size, count - 1, flags.Backwards);
        }

        _comparedRight = StringElements.Read(to, op.Size, count - 1, flags.Backwards);
        return count;
    }
}
