using Hyperlight.Abstractions;
using Hyperlight.Host.Elf;
using Hyperlight.Host.Protocol;

namespace Hyperlight.Host.Memory;

/// <summary>The host memory behind one guest: its image, which it can only read, and its scratch memory.</summary>
internal sealed class GuestMemory : IDisposable
{
    private readonly IMemoryRegion _image;
    private readonly IMemoryRegion _scratch;

    private GuestMemory(GuestMemoryLayout layout, IMemoryRegion image, IMemoryRegion scratch, ulong entryPoint)
    {
        Layout = layout;
        _image = image;
        _scratch = scratch;
        EntryPoint = entryPoint;
        Input = new SharedBuffer(scratch, GuestMemoryLayout.InputBufferOffset, layout.InputBufferSize, "input");
        Output = new SharedBuffer(scratch, layout.OutputBufferOffset, layout.OutputBufferSize, "output");
        Input.Reset();
        Output.Reset();
    }

    public GuestMemoryLayout Layout { get; }

    /// <summary>Guest virtual address at which the guest is first entered.</summary>
    public ulong EntryPoint { get; }

    /// <summary>The buffer from host to guest.</summary>
    public SharedBuffer Input { get; }

    /// <summary>The buffer from guest to host.</summary>
    public SharedBuffer Output { get; }

    /// <summary>What the virtual machine sees of the image: readable and executable, never writable.</summary>
    public GuestMapping ImageMapping =>
        GuestMapping.Whole(GuestAddresses.ImageBase, _image, MemoryFlags.Read | MemoryFlags.Execute);

    /// <summary>What the virtual machine sees of scratch memory.</summary>
    public GuestMapping ScratchMapping => GuestMapping.Whole(
        Layout.ScratchPhysicalBase, _scratch, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute);

    /// <summary>Publishes the file mappings in the table that the guest finds them by, if it is configured.</summary>
    public void WriteFileMappings(IEnumerable<SandboxMapping> mappings)
    {
        if (Layout.HasFileMappingTable)
        {
            FileMappingTable.Write(_image, Layout, mappings);
        }
    }

    /// <summary>Allocates and fills the memory of a fresh guest.</summary>
    /// <exception cref="MemoryRequestException">The guest and its configuration do not fit.</exception>
    /// <exception cref="HypervisorException">The operating system refused the memory.</exception>
    public static GuestMemory Create(
        IHypervisor hypervisor, ElfImage elf, InitData initData, SandboxConfiguration configuration)
    {
        GuestMemoryLayout layout = GuestMemoryLayout.Create(configuration, elf.LoadedSize, initData.Bytes.Length);
        using PageTableBuilder tables = GuestPageTables.Build(layout, initData.Flags);
        layout.CheckScratch(tables.Size);

        IMemoryRegion image = hypervisor.AllocateMemory((nuint)layout.ImageSize);
        IMemoryRegion? scratch = null;
        try
        {
            elf.Load(image, GuestAddresses.ImageBase);
            ProcessEnvironmentBlock.Write(image, layout);
            if (layout.HasFileMappingTable)
            {
                FileMappingTable.Write(image, layout, []);
            }

            image.Write((nuint)layout.InitDataOffset, initData.Bytes.Span);

            scratch = hypervisor.AllocateMemory((nuint)layout.ScratchSize);
            ScratchMetadata.Write(scratch, layout, tables.Bytes, generation: 0);
            return new GuestMemory(layout, image, scratch, GuestAddresses.ImageBase + elf.EntryOffset);
        }
        catch
        {
            scratch?.Dispose();
            image.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        try
        {
            _scratch.Dispose();
        }
        finally
        {
            _image.Dispose();
        }
    }
}
