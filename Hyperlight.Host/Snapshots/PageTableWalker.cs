using System.Runtime.InteropServices;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// Walks a guest's page tables in ascending order of virtual addresses. The tables are the guest's to write: they may form
/// loops, share tables so that a few of them stand for the whole address space, and point anywhere. So a table is copied
/// before it is looked at, a table that does not exist is empty, and the numbers of tables and of leaves visited, whether or
/// not they lead anywhere, are bounded by what the guest's scratch memory could hold.
/// </summary>
/// <param name="pages">The guest's physical memory.</param>
/// <param name="excluded">Ranges of virtual addresses that are of no interest, as first and last address.</param>
/// <param name="checkRequest">Called for each table; throws if the walk is to end.</param>
internal sealed class PageTableWalker(PhysicalPages pages, IReadOnlyList<(ulong First, ulong Last)> excluded, Action checkRequest)
{
    /// <summary>Bit 47, which the bits above repeat.</summary>
    private const ulong SignBit = 1UL << 47;

    /// <summary>A guest with little memory may share tables between parts of its address space within reason.</summary>
    private const ulong FewestTables = 4096;

    private readonly ulong[][] _tables = [.. Enumerable.Range(0, PageTableGeometry.RootLevel + 1).Select(_ => new ulong[PageTableGeometry.EntriesPerTable])];
    private readonly ulong _mostTables = Math.Max(FewestTables, pages.ScratchCount);
    private readonly ulong _mostLeaves = pages.ScratchCount * PageTableGeometry.EntriesPerTable;
    private Action<ulong, ulong> _visit = static (_, _) => { };
    private ulong _visitedTables;
    private ulong _visitedLeaves;

    /// <summary>
    /// Visits every leaf that is present: its virtual address, and the entry, which has <see cref="PageTableEntry.User"/> if all
    /// entries on the way have it.
    /// </summary>
    /// <param name="root">Guest physical address of the root table.</param>
    /// <param name="visit">Receives the leaves.</param>
    /// <exception cref="SnapshotException">The tables hold a large page, or are larger than the guest's scratch memory could hold.</exception>
    public void Walk(ulong root, Action<ulong, ulong> visit)
    {
        _visit = visit;
        _visitedTables = 0;
        _visitedLeaves = 0;
        WalkTable(root & PageTableEntry.AddressMask, PageTableGeometry.RootLevel, 0, PageTableEntry.User);
    }

    private void WalkTable(ulong table, int level, ulong virtualBase, ulong rights)
    {
        checkRequest();
        ulong[] entries = _tables[level];
        if (!pages.TryRead(table, MemoryMarshal.AsBytes(entries.AsSpan())))
        {
            return;
        }

        if (++_visitedTables > _mostTables)
        {
            throw new SnapshotException(
                $"the guest's page tables lead to more than {_mostTables} tables, which its scratch memory cannot hold");
        }

        int shift = PageTableGeometry.Shift(level);
        for (int i = 0; i < PageTableGeometry.EntriesPerTable; i++)
        {
            ulong entry = entries[i] & (rights | ~PageTableEntry.User);
            if ((entry & PageTableEntry.Present) == 0)
            {
                continue;
            }

            ulong address = virtualBase + ((ulong)i << shift);
            if (level == PageTableGeometry.RootLevel && (address & SignBit) != 0)
            {
                address |= ~(SignBit - 1);
            }

            if (IsExcluded(address, address + ((1UL << shift) - 1)))
            {
                continue;
            }

            if (level == 0)
            {
                if (++_visitedLeaves > _mostLeaves)
                {
                    throw new SnapshotException(
                        $"the guest's page tables map more than {_mostLeaves} pages, for which its scratch memory cannot hold tables");
                }

                _visit(address, entry);
            }
            else if ((entry & PageTableEntry.LargePage) != 0)
            {
                throw new SnapshotException(
                    $"the guest has mapped a large page at 0x{address:X}, which the guest ABI does not allow");
            }
            else
            {
                WalkTable(entry & PageTableEntry.AddressMask, level - 1, address, entry & PageTableEntry.User);
            }
        }
    }

    private bool IsExcluded(ulong first, ulong last)
    {
        foreach ((ulong excludedFirst, ulong excludedLast) in excluded)
        {
            if (first >= excludedFirst && last <= excludedLast)
            {
                return true;
            }
        }

        return false;
    }
}
