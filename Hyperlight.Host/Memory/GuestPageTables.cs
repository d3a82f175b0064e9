using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>Builds a fresh guest's page tables: the image identity mapped, then scratch memory at the top.</summary>
internal static class GuestPageTables
{
    /// <param name="layout">The guest's layout.</param>
    /// <param name="initDataFlags">What the guest may do with the init data.</param>
    /// <param name="unusedSize">
    /// Bytes at the start of the image that are not mapped, whole pages: an image that is linked at a fixed address starts
    /// behind them.
    /// </param>
    public static PageTableBuilder Build(GuestMemoryLayout layout, MemoryFlags initDataFlags, ulong unusedSize = 0)
    {
        var tables = new PageTableBuilder(layout.PageTableAddress);
        MapImage(tables, unusedSize, layout.PebOffset, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute);
        MapImage(tables, layout.PebOffset, layout.HeapOffset, MemoryFlags.Read);
        MapImage(tables, layout.HeapOffset, layout.InitDataOffset, layout.HeapFlags);
        MapImage(tables, layout.InitDataOffset, layout.ImageSize, initDataFlags);
        tables.Map(layout.ScratchVirtualBase, layout.ScratchPhysicalBase, layout.ScratchSize, PageTableEntry.ScratchLeaf);
        return tables;
    }

    private static void MapImage(PageTableBuilder tables, ulong start, ulong end, MemoryFlags flags)
    {
        ulong address = GuestAddresses.ImageBase + start;
        tables.Map(address, address, end - start, PageTableEntry.ImageLeaf(flags));
    }
}
