using System.Runtime.InteropServices;
using CommunityToolkit.HighPerformance.Buffers;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>
/// Builds 4-level page tables with 4 KiB leaves. Tables are placed one after the other in the order of their first use, the
/// root first, to be copied to a fixed guest physical address.
/// </summary>
internal sealed class PageTableBuilder : IDisposable
{
    private readonly ulong _baseAddress;
    private MemoryOwner<ulong> _entries = MemoryOwner<ulong>.Allocate(8 * PageTableGeometry.EntriesPerTable, AllocationMode.Clear);
    private int _tableCount = 1;

    /// <param name="baseAddress">Guest physical address at which the root table will be.</param>
    public PageTableBuilder(ulong baseAddress) => _baseAddress = baseAddress;

    /// <summary>The tables' bytes.</summary>
    public ReadOnlySpan<byte> Bytes => MemoryMarshal.AsBytes(_entries.Span[..(_tableCount * PageTableGeometry.EntriesPerTable)]);

    /// <summary>Size of the tables in bytes.</summary>
    public ulong Size => (ulong)_tableCount * GuestPage.Size;

    /// <summary>Gives the memory back to its pool; <see cref="Bytes"/> must not be used any more.</summary>
    public void Dispose() => _entries.Dispose();

    /// <summary>Maps a range of pages.</summary>
    /// <param name="virtualAddress">First guest virtual address, page aligned.</param>
    /// <param name="physicalAddress">First guest physical address, page aligned.</param>
    /// <param name="size">Bytes, a multiple of a page.</param>
    /// <param name="attributes">The leaves' bits besides the address.</param>
    public void Map(ulong virtualAddress, ulong physicalAddress, ulong size, ulong attributes)
    {
        for (ulong done = 0; done < size;)
        {
            int table = LeafTableFor(virtualAddress + done, attributes & PageTableEntry.User);
            int index = PageTableGeometry.Index(virtualAddress + done, 0);
            ulong end = Math.Min(size, done + ((ulong)(PageTableGeometry.EntriesPerTable - index) * GuestPage.Size));
            Span<ulong> entries = _entries.Span.Slice(table * PageTableGeometry.EntriesPerTable, PageTableGeometry.EntriesPerTable);
            for (; done < end; done += GuestPage.Size, index++)
            {
                entries[index] = (physicalAddress + done) | attributes;
            }
        }
    }

    /// <summary>The table of the leaf of an address, with what else each entry on the way needs.</summary>
    private int LeafTableFor(ulong virtualAddress, ulong rights)
    {
        int table = 0;
        for (int level = PageTableGeometry.RootLevel; level > 0; level--)
        {
            int entry = (table * PageTableGeometry.EntriesPerTable) + PageTableGeometry.Index(virtualAddress, level);
            if (_entries.Span[entry] == 0)
            {
                int next = AddTable();
                _entries.Span[entry] = (_baseAddress + ((ulong)next * GuestPage.Size)) | PageTableEntry.Table;
                table = next;
            }
            else
            {
                table = (int)(((_entries.Span[entry] & PageTableEntry.AddressMask) - _baseAddress) / GuestPage.Size);
            }

            _entries.Span[entry] |= rights;
        }

        return table;
    }

    private int AddTable()
    {
        if ((_tableCount + 1) * PageTableGeometry.EntriesPerTable > _entries.Length)
        {
            MemoryOwner<ulong> larger = MemoryOwner<ulong>.Allocate(_entries.Length * 2, AllocationMode.Clear);
            _entries.Span.CopyTo(larger.Span);
            _entries.Dispose();
            _entries = larger;
        }

        return _tableCount++;
    }
}
