using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>
/// Where everything is in a fresh guest's memory. The image region holds code, PEB, heap and init data from
/// <see cref="GuestAddresses.ImageBase"/> upwards; the scratch region holds the buffers and page tables from its base
/// upwards, and the metadata and exception stack at its top. Offsets count from the start of their region.
/// </summary>
internal sealed record GuestMemoryLayout
{
    // What the guest runtime needs besides buffers and the host's page tables: two pages of control block with four of page
    // tables, a page of stack with three of page tables, and two pages of exception stack and metadata.
    private const ulong ReservedScratch = 12 * GuestPage.Size;

    /// <summary>What scratch memory has if it is not set.</summary>
    private readonly ulong _derivedScratchSize;

    private GuestMemoryLayout(SandboxConfiguration configuration, ulong codeSize, int initDataSize, MemoryFlags initDataFlags)
    {
        CodeSize = codeSize;
        InitDataFlags = initDataFlags;
        InputBufferSize = configuration.InputBufferSize;
        OutputBufferSize = configuration.OutputBufferSize;
        HeapSize = configuration.HeapSize;
        ScratchSize = configuration.ScratchSize;
        _derivedScratchSize = configuration.DerivedScratchSize;
        InitDataSize = initDataSize;
        HasFileMappingTable = configuration.FileMappingTable;
        HeapFlags = configuration.ExecutableHeap
            ? MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute
            : MemoryFlags.Read | MemoryFlags.Write;
        PebOffset = GuestPage.RoundUp(codeSize);
        HeapOffset = PebOffset + GuestPage.Size;
        InitDataOffset = GuestPage.RoundUp(HeapOffset + HeapSize);
        ImageSize = GuestPage.RoundUp(InitDataOffset + (ulong)initDataSize);
    }

    /// <summary>Bytes of the loaded code, not rounded.</summary>
    public ulong CodeSize { get; }

    public int InputBufferSize { get; }

    public int OutputBufferSize { get; }

    public ulong HeapSize { get; }

    public ulong ScratchSize { get; }

    public int InitDataSize { get; }

    /// <summary>Whether the guest finds its file mappings behind the process environment block.</summary>
    public bool HasFileMappingTable { get; }

    /// <summary>What the guest may do with its heap.</summary>
    public MemoryFlags HeapFlags { get; }

    /// <summary>What the guest may do with the init data.</summary>
    public MemoryFlags InitDataFlags { get; }

    /// <summary>Image offset of the process environment block, right after the code.</summary>
    public ulong PebOffset { get; }

    /// <summary>Image offset of the heap.</summary>
    public ulong HeapOffset { get; }

    /// <summary>Image offset of the init data.</summary>
    public ulong InitDataOffset { get; }

    /// <summary>Size of the image region.</summary>
    public ulong ImageSize { get; }

    /// <summary>Guest virtual address of the process environment block.</summary>
    public ulong PebAddress => GuestAddresses.ImageBase + PebOffset;

    public ulong ScratchPhysicalBase => GuestAddresses.ScratchPhysicalBase(ScratchSize);

    public ulong ScratchVirtualBase => GuestAddresses.ScratchVirtualBase(ScratchSize);

    /// <summary>Scratch offset of the input buffer.</summary>
    public static ulong InputBufferOffset => 0;

    /// <summary>Scratch offset of the output buffer, which need not be page aligned.</summary>
    public ulong OutputBufferOffset => (ulong)InputBufferSize;

    /// <summary>Scratch offset of the page tables, the root first.</summary>
    public ulong PageTableOffset => GuestPage.RoundUp((ulong)InputBufferSize + (ulong)OutputBufferSize);

    /// <summary>Guest physical address of the root page table.</summary>
    public ulong PageTableAddress => ScratchPhysicalBase + PageTableOffset;

    private ulong MinimumScratchSize => PageTableOffset + ReservedScratch;

    /// <summary>Lays out a guest and checks that it fits.</summary>
    /// <param name="configuration">The sandbox's sizes.</param>
    /// <param name="codeSize">Bytes of the loaded image, not rounded.</param>
    /// <param name="initDataSize">Bytes of init data.</param>
    /// <param name="initDataFlags">What the guest may do with the init data.</param>
    /// <exception cref="MemoryRequestException">Something is too large, or scratch memory too small.</exception>
    public static GuestMemoryLayout Create(
        SandboxConfiguration configuration, ulong codeSize, int initDataSize, MemoryFlags initDataFlags = MemoryFlags.Read)
    {
        if (codeSize > GuestAddresses.MaximumImageSize)
        {
            throw TooBig(codeSize, 0);
        }

        var layout = new GuestMemoryLayout(configuration, codeSize, initDataSize, initDataFlags);
        layout.CheckScratch(0);
        CheckImage(layout.ImageSize, layout.HeapSize);
        return layout;
    }

    /// <summary>Checks that an image is not too large.</summary>
    /// <param name="size">Its size in bytes.</param>
    /// <param name="heapSize">How much of it is heap.</param>
    /// <exception cref="MemoryRequestException">It is.</exception>
    public static void CheckImage(ulong size, ulong heapSize = 0)
    {
        if (size > GuestAddresses.MaximumImageSize)
        {
            throw TooBig(size, heapSize);
        }
    }

    /// <summary>Checks that scratch memory holds the page tables too.</summary>
    /// <exception cref="MemoryRequestException">It does not.</exception>
    public void CheckScratch(ulong pageTableSize)
    {
        ulong needed = MinimumScratchSize + pageTableSize;
        if (ScratchSize < needed)
        {
            throw new MemoryRequestException(
                "scratch memory",
                ScratchSize,
                needed,
                isTooSmall: true,
                $"Leave {nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.ScratchSize)} unset, or set it to "
                + $"{Math.Max(needed, _derivedScratchSize + pageTableSize)} or more, which the buffers and a heap in use take.");
        }
    }

    private static MemoryRequestException TooBig(ulong size, ulong heapSize)
    {
        ulong excess = size - GuestAddresses.MaximumImageSize;
        string remedy = heapSize > excess
            ? $"Set {nameof(SandboxConfiguration)}.{nameof(SandboxConfiguration.HeapSize)} to {(heapSize - excess) / GuestPage.Size * GuestPage.Size} or less."
            : "Use a smaller guest or less init data.";
        return new MemoryRequestException(
            "guest image with heap and init data",
            size,
            GuestAddresses.MaximumImageSize,
            isTooSmall: false,
            $"Guest physical addresses from 0x{GuestAddresses.ImageLimit:X} on are not memory on every hypervisor. {remedy}");
    }
}
