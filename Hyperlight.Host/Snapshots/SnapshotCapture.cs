using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;

namespace Hyperlight.Host.Snapshots;

/// <summary>
/// Makes an image of what a guest has mapped: each physical page once, in the order in which virtual addresses lead to it,
/// and new page tables that map the copies at the same virtual addresses. Pages of regions that stay mapped are not copied.
/// </summary>
internal sealed class SnapshotCapture : IDisposable
{
    private const ulong SoftwareBits = 0xE00;

    // Reserved for a self-map of page tables; what a guest maps there is lost.
    private const ulong SelfMapFirst = 0xFFFF_8000_0000_0000;
    private const ulong SelfMapLast = 0xFFFF_80FF_FFFF_FFFF;

    private readonly GuestMemoryLayout _layout;
    private readonly PhysicalPages _pages;
    private readonly PageTableBuilder _tables;
    private readonly Action _checkRequest;
    private readonly List<ulong> _sources = [];
    private readonly Dictionary<ulong, int> _positions = [];

    private SnapshotCapture(GuestMemoryLayout layout, PhysicalPages pages, Action checkRequest)
    {
        _layout = layout;
        _pages = pages;
        _checkRequest = checkRequest;
        _tables = new PageTableBuilder(layout.PageTableAddress);
    }

    /// <summary>Leaves that point to no memory, and that the snapshot therefore lacks.</summary>
    public int UnresolvedLeaves { get; private set; }

    /// <summary>Captures a guest's memory, which is not changed. No guest may run meanwhile.</summary>
    /// <param name="hypervisor">Allocates the image's pages.</param>
    /// <param name="memory">The guest's image and scratch memory.</param>
    /// <param name="mappings">What else is mapped into its machine.</param>
    /// <param name="root">CR3.</param>
    /// <param name="generation">The image's generation.</param>
    /// <param name="checkRequest">Called for each page table and each page; throws if the capture is to end.</param>
    /// <param name="unresolvedLeaves">How many leaves pointed to no memory and were left out.</param>
    /// <returns>The image, with a reference for the caller.</returns>
    /// <exception cref="SnapshotException">The page tables cannot be captured, or a mapped file cannot be read any more.</exception>
    /// <exception cref="MemoryRequestException">The page tables do not fit scratch memory, or the pages exceed an image.</exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    public static GuestImage Capture(
        IHypervisor hypervisor,
        GuestMemory memory,
        IReadOnlyList<MappedRegion> mappings,
        ulong root,
        ulong generation,
        Action checkRequest,
        out int unresolvedLeaves)
    {
        var pages = new PhysicalPages(memory, mappings);
        using var capture = new SnapshotCapture(memory.Layout, pages, checkRequest);
        var walker = new PageTableWalker(
            pages, [(SelfMapFirst, SelfMapLast), (memory.Layout.ScratchVirtualBase, ulong.MaxValue)], checkRequest);
        walker.Walk(root, capture.AddLeaf);
        unresolvedLeaves = capture.UnresolvedLeaves;
        return capture.Build(hypervisor, memory.EntryPoint, generation);
    }

    public void Dispose() => _tables.Dispose();

    private static ulong Attributes(ulong entry)
    {
        bool isCopyOnWrite = (entry & SoftwareBits) == PageTableEntry.CopyOnWrite;
        bool isWritable = isCopyOnWrite || (entry & PageTableEntry.Writable) != 0;
        bool isExecutable = (entry & PageTableEntry.NoExecute) == 0;
        return PageTableEntry.ImageLeaf(
            MemoryFlags.Read
            | (isWritable ? MemoryFlags.Write : MemoryFlags.None)
            | (isExecutable ? MemoryFlags.Execute : MemoryFlags.None))
            | (entry & PageTableEntry.User);
    }

    private void AddLeaf(ulong virtualAddress, ulong entry)
    {
        ulong source = entry & PageTableEntry.AddressMask;
        if (!_positions.TryGetValue(source, out int position))
        {
            if (_pages.IsRetained(source))
            {
                Map(virtualAddress, source, Attributes(entry));
                return;
            }

            if (!_pages.Contains(source))
            {
                UnresolvedLeaves++;
                return;
            }

            position = _sources.Count;
            GuestMemoryLayout.CheckImage((ulong)(position + 1) * GuestPage.Size, _layout.HeapSize);
            _sources.Add(source);
            _positions.Add(source, position);
        }

        Map(virtualAddress, GuestAddresses.ImageBase + ((ulong)position * GuestPage.Size), Attributes(entry));
    }

    private void Map(ulong virtualAddress, ulong physicalAddress, ulong attributes)
    {
        ulong before = _tables.Size;
        _tables.Map(virtualAddress, physicalAddress, GuestPage.Size, attributes);
        if (_tables.Size != before)
        {
            // Early, so that a guest which maps one page everywhere does not fill the host's memory with tables.
            _layout.CheckScratch(_tables.Size);
        }
    }

    private GuestImage Build(IHypervisor hypervisor, ulong entryPoint, ulong generation)
    {
        if (_sources.Count == 0)
        {
            throw new SnapshotException("the guest's page tables map no memory");
        }

        _tables.Map(
            _layout.ScratchVirtualBase, _layout.ScratchPhysicalBase, _layout.ScratchSize, PageTableEntry.ScratchLeaf);
        _layout.CheckScratch(_tables.Size);
        IMemoryRegion image = hypervisor.AllocateMemory((nuint)_sources.Count * GuestPage.Size);
        try
        {
            Span<byte> page = stackalloc byte[GuestPage.Size];
            for (int i = 0; i < _sources.Count; i++)
            {
                _checkRequest();
                _pages.TryRead(_sources[i], page);

                // A page of zeros is there already, and costs no memory as long as nobody touches it.
                if (page.ContainsAnyExcept((byte)0))
                {
                    image.Write((nuint)i * GuestPage.Size, page);
                }
            }

            image.MakeReadOnly();
            return new GuestImage(_layout, image, _tables.Bytes, entryPoint, generation);
        }
        catch
        {
            image.Dispose();
            throw;
        }
    }
}
