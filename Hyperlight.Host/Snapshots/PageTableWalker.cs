using System.Runtime.InteropServices;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// Walks a guest's page tables in ascending order of virtual addresses. The tables are the guest's to write: they may form
/// loops, share tables so that a few of them stand for the whole address space, and point anywhere. So a table is copied
/// before it is looked at, a table that does not exist is empty, and the number of tables visited is bounded by what the
/// guest's own memory could hold.
/// </summary>
/// <param name="pages">The guest's physical memory.</param>
/// <param name="excluded">Ranges of virtual addresses that are of no interest, as first and last address.</param>
internal sealed class PageTableWalker(PhysicalPages pages, IReadOnlyList<(ulong First, ulong Last)> excluded)
{
    /// <summary>Bit 47, which the bits above repeat.</summary>
    private const ulong SignBit = 1UL << 47;

    /// <summary>A guest may share tables between parts of its address space within reason.</summary>
    private const ulong FewestTables = 4096;
    private const ulong SharingAllowance = 4;

    private readonly ulong[][] _tables = [.. Enumerable.Range(0, PageTableGeometry.RootLevel + 1).Select(_ => new ulong[PageTableGeometry.EntriesPerTable])];
    private readonly ulong _mostTables = Math.Max(FewestTables, SharingAllowance * pages.OwnCount);
    private Action<ulong, ulong> _visit = static (_, _) => { };
    private ulong _visited;

    /// <summary>Visits every leaf that is present: its virtual address and the entry.</summary>
    /// <param name="root">Guest physical address of the root table.</param>
    /// <param name="visit">Receives the leaves.</param>
    /// <exception cref="SnapshotException">The tables hold a large page, or are larger than the guest's own memory could hold.</exception>
    public void Walk(ulong root, Action<ulong, ulong> visit)
    {
        _visit = visit;
        _visited = 0;
        WalkTable(root & PageTableEntry.AddressMask, PageTableGeometry.RootLevel, 0);
    }

    private void WalkTable(ulong table, int level, ulong virtualBase)
    {
        ulong[] entries = _tables[level];
        if (!pages.TryRead(table, MemoryMarshal.AsBytes(entries.AsSpan())))
        {
            return;
        }

        if (++_visited > _mostTables)
        {
            throw new SnapshotException(
                $"the guest's page tables lead to more than {_mostTables} tables, which its memory cannot hold");
        }

        int shift = PageTableGeometry.Shift(level);
        for (int i = 0; i < PageTableGeometry.EntriesPerTable; i++)
        {
            ulong entry = entries[i];
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
                _visit(address, entry);
            }
            else if ((entry & PageTableEntry.LargePage) != 0)
            {
                throw new SnapshotException(
                    $"the guest has mapped a large page at 0x{address:X}, which the guest ABI does not allow");
            }
            else
            {
                WalkTable(entry & PageTableEntry.AddressMask, level - 1, address);
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
