using Hyperlight.Abstractions;
using Hyperlight.Host.Elf;

namespace Hyperlight.Host.Memory;

/// <summary>Makes the image of a guest that has not run: code, PEB, heap, init data, and the tables that map them.</summary>
internal static class FreshImage
{
    /// <exception cref="MemoryRequestException">The guest and its configuration do not fit.</exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    public static GuestImage Create(IHypervisor hypervisor, ElfImage elf, GuestMemoryLayout layout, InitData initData)
    {
        using PageTableBuilder tables = GuestPageTables.Build(layout, initData.Flags, elf.UnusedSize);
        layout.CheckScratch(tables.Size);
        IMemoryRegion pages = hypervisor.AllocateMemory((nuint)layout.ImageSize);
        try
        {
            elf.Load(pages, GuestAddresses.ImageBase);
            ProcessEnvironmentBlock.Write(pages, layout);
            if (layout.HasFileMappingTable)
            {
                FileMappingTable.Write(pages, layout, []);
            }

            pages.Write((nuint)layout.InitDataOffset, initData.Bytes.Span);
            if (!layout.HasFileMappingTable)
            {
                pages.MakeReadOnly();
            }

            return new GuestImage(layout, pages, tables.Bytes, GuestAddresses.ImageBase + elf.EntryOffset, generation: 0);
        }
        catch
        {
            pages.Dispose();
            throw;
        }
    }
}
