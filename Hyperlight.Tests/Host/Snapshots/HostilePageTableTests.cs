using System.Buffers.Binary;
using System.Collections;
using System.Diagnostics;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Memory.Mappings;
using Hyperlight.Host.Snapshots;
using Hyperlight.Tests.Host.Elf;
using Moq;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>A guest writes its page tables itself: whatever they say, taking a snapshot ends soon, with an image or a typed error.</summary>
internal sealed class HostilePageTableTests
{
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong LargePage = 1 << 7;
    private const ulong Copied = 0x200;
    private const ulong NoExecute = 1UL << 63;
    private const ulong LeafAttributes = 0x8000_0000_0000_0E63;

    private readonly Mock<IHypervisor> _hypervisor = new();
    private readonly List<MappedRegion> _mappings = [];
    private GuestMemory _memory = null!;

    [SetUp]
    public void CreateMemory()
    {
        _hypervisor.Setup(h => h.AllocateMemory(It.IsAny<nuint>())).Returns((nuint size) => new ManagedMemoryRegion(size));
        _memory = GuestMemory.Create(
            _hypervisor.Object, GuestBinary.FromBytes(TestElf.OfCode([0xF4]).Build()), InitData.None, new SandboxConfiguration());
    }

    [TearDown]
    public void DisposeMemory()
    {
        _memory.Dispose();
        _mappings.Clear();
    }

    [Test]
    public void The_image_of_a_new_guest_is_captured_unchanged()
    {
        GuestImage image = Capture();

        Assert.That(image.Pages.Size, Is.EqualTo(_memory.Image.Pages.Size));
        Assert.That(Bytes(image.Pages), Is.EqualTo(Bytes(_memory.Image.Pages)));
        Assert.That(image.PageTables.ToArray(), Is.EqualTo(_memory.Image.PageTables.ToArray()));
    }

    [Test]
    public void Pages_are_in_the_order_of_virtual_addresses_and_shared_ones_are_copied_once()
    {
        Fill(Free(10), 0xAA);
        Fill(Free(11), 0xBB);
        ulong table = Window();
        Entry(table, 0, Free(11) | Present | Writable);
        Entry(table, 1, Free(10) | Present | Writable | NoExecute);
        Entry(table, 2, Free(11) | Present);

        GuestImage image = Capture();

        int first = (int)(_memory.Image.Pages.Size / GuestPage.Size);
        Assert.That(image.Pages.Size, Is.EqualTo((nuint)(first + 2) * GuestPage.Size));
        Assert.That(Bytes(image.Pages)[first * GuestPage.Size], Is.EqualTo(0xBB));
        Assert.That(Bytes(image.Pages)[(first + 1) * GuestPage.Size], Is.EqualTo(0xAA));
        ulong shared = GuestAddresses.ImageBase + ((ulong)first * GuestPage.Size);
        ulong[] leaves = Leaves(image, WindowAddress, 3);
        Assert.That(leaves[0], Is.EqualTo(shared | 0x261), "writable becomes copy-on-write");
        Assert.That(leaves[1], Is.EqualTo((shared + GuestPage.Size) | 0x261 | NoExecute));
        Assert.That(leaves[2], Is.EqualTo(shared | 0x61), "read-only stays so");
    }

    [Test]
    public void A_page_that_code_at_CPL_3_may_access_stays_one_and_no_other_becomes_one()
    {
        ulong table = Window();
        Entry(table, 0, Free(10) | Present | User);
        Entry(table, 1, Free(10) | Present);
        Assert.That(Leaves(Capture(), WindowAddress, 2).Select(static leaf => leaf & User), Is.All.Zero, "a table on the way forbids it");

        Entry(Root, (int)(WindowAddress >> 39) & 511, Free(0) | Present | User);
        Entry(Free(0), (int)(WindowAddress >> 30) & 511, Free(1) | Present | User);
        Entry(Free(1), (int)(WindowAddress >> 21) & 511, table | Present | User);
        GuestImage image = Capture();

        Assert.That(Leaves(image, WindowAddress, 2).Select(static leaf => leaf & User), Is.EqualTo(new ulong[] { User, 0 }));
        Assert.That(TablesOnTheWay(image, WindowAddress).Select(static entry => entry & User), Is.All.EqualTo(User));
        Assert.That(TablesOnTheWay(image, GuestAddresses.ImageBase).Select(static entry => entry & User), Is.All.Zero);
    }

    [Test]
    public void Copy_on_write_is_one_pattern_of_the_software_bits()
    {
        ulong table = Window();
        Entry(table, 0, Free(10) | Present | Copied);
        Entry(table, 1, Free(10) | Present | 0x600);
        Entry(table, 2, Free(10) | Present | 0xE00);

        Assert.That(Leaves(Capture(), WindowAddress, 3).Select(leaf => leaf & LeafAttributes), Is.EqualTo(new ulong[] { 0x261, 0x61, 0x61 }));
    }

    [Test]
    public void Mappings_in_reserved_ranges_are_not_captured()
    {
        ulong table = Table(11, 13, 0xFFFF_8000_0000_0000);
        Entry(table, 0, Free(14) | Present | Writable);

        Assert.That(Capture().Pages.Size, Is.EqualTo(_memory.Image.Pages.Size));
    }

    [TestCase(0xF_0000_0000UL)]
    [TestCase(0x000F_FFFF_FFFF_F000UL)]
    [TestCase(0UL)]
    public void Leaves_that_point_nowhere_are_left_out_and_counted(ulong address)
    {
        Entry(Window(), 5, address | Present | Writable);

        GuestImage image = Capture(out int unresolved);

        Assert.That(unresolved, Is.EqualTo(1));
        Assert.That(image.Pages.Size, Is.EqualTo(_memory.Image.Pages.Size));
    }

    [Test]
    public void Tables_that_are_nowhere_are_empty()
    {
        Entry(Root, 100, 0x000F_FFFF_FFFF_F000 | Present);
        Entry(Root, 101, Present);

        Assert.That(Capture().Pages.Size, Is.EqualTo(_memory.Image.Pages.Size));
    }

    [Test]
    public void A_guest_without_mappings_cannot_be_captured()
    {
        Clear(Root);

        Assert.That(() => Capture(), Throws.TypeOf<SnapshotException>().With.Message.Contains("no memory"));
    }

    [TestCase(3)]
    [TestCase(2)]
    [TestCase(1)]
    public void Large_pages_are_refused(int level)
    {
        ulong table = level == 3 ? Root : Table(10, 12 - level, WindowAddress);
        Entry(table, 200, 0x20_0000 | Present | Writable | LargePage);

        Assert.That(() => Capture(), Throws.TypeOf<SnapshotException>().With.Message.Contains("large page"));
    }

    [Test]
    public void Loops_end_in_an_error()
    {
        for (int i = 0; i < 512; i++)
        {
            Entry(Root, i, Root | Present | Writable);
        }

        AssertEndsSoon();
    }

    [Test]
    public void One_page_in_the_whole_address_space_ends_in_an_error()
    {
        // Three tables that lead to each other everywhere: 2^36 leaves.
        for (int i = 0; i < 512; i++)
        {
            Entry(Free(12), i, Free(10) | Present | Writable);
            Entry(Free(13), i, Free(12) | Present | Writable);
            Entry(Free(14), i, Free(13) | Present | Writable);
            Entry(Root, i, Free(14) | Present | Writable);
        }

        AssertEndsSoon();
    }

    [Test]
    public void Empty_tables_in_the_whole_address_space_end_in_an_error()
    {
        for (int i = 0; i < 512; i++)
        {
            Entry(Free(13), i, Free(12) | Present | Writable);
            Entry(Free(14), i, Free(13) | Present | Writable);
            Entry(Root, i, Free(14) | Present | Writable);
        }

        AssertEndsSoon();
    }

    /// <summary>However the tables lead to each other, and wherever the leaves do, work is bounded by the memory that the guest has.</summary>
    [Test]
    public void The_worst_tables_are_visited_as_often_as_the_bound_says([Values] bool resolves)
    {
        FillAddressSpace(resolves);
        var pages = new PhysicalPages(_memory, _mappings);
        ulong leaves = 0;
        ulong tables = 0;

        Assert.That(() => new PageTableWalker(pages, [], () => tables++).Walk(Root, (_, _) => leaves++), Throws.TypeOf<SnapshotException>());

        Assert.That(leaves, Is.LessThanOrEqualTo(512 * pages.ScratchCount));
        Assert.That(tables, Is.LessThanOrEqualTo(2 + Math.Max(4096, pages.ScratchCount)));
    }

    [Test]
    public void Leaves_that_lead_nowhere_are_bounded_too()
    {
        FillAddressSpace(resolves: false);

        Assert.That(() => Capture(), Throws.TypeOf<SnapshotException>().With.Message.Contains("map more than"));
    }

    [Test]
    public void As_many_leaves_as_scratch_memory_can_hold_are_visited()
    {
        var pages = new PhysicalPages(_memory, _mappings);
        int fullTables = (int)pages.ScratchCount;
        ulong table = Table(10, 11, WindowAddress);
        for (int i = 0; i < 512; i++)
        {
            Entry(Free(9), i, 0xF_0000_0000 | Present);
            Entry(table, i, i < fullTables ? Free(9) | Present : 0);
        }

        Clear(Free(8));
        Entry(Free(8), (int)(WindowAddress >> 39) & 511, Free(10) | Present);
        ulong leaves = 0;
        new PageTableWalker(pages, [], static () => { }).Walk(Free(8), (_, _) => leaves++);

        Assert.That(fullTables, Is.LessThan(512));
        Assert.That(leaves, Is.EqualTo(512 * pages.ScratchCount));
        Entry(Free(8), 0, Free(10) | Present);
        Assert.That(() => new PageTableWalker(pages, [], static () => { }).Walk(Free(8), static (_, _) => { }), Throws.TypeOf<SnapshotException>());
    }

    /// <summary>A guest decides how many addresses are looked up; each must not take a look at every mapping.</summary>
    [Test]
    public void Mappings_are_read_once_however_many_addresses_are_looked_up()
    {
        for (uint i = 0; i < 200; i++)
        {
            MapFile(0x1_0000_0000 + (i * 0x10_0000UL), GuestPage.Size);
        }

        var mappings = new CountingList<MappedRegion>(_mappings);
        var pages = new PhysicalPages(_memory, mappings);
        for (ulong address = 0; address < 10_000 * GuestPage.Size; address += GuestPage.Size)
        {
            Assert.That(pages.Contains(0xF_0000_0000 + address), Is.False);
        }

        Assert.That(mappings.Reads, Is.LessThanOrEqualTo(2 * _mappings.Count));
    }

    [Test]
    public void Every_page_of_every_mapping_is_found_and_none_beside_them()
    {
        ulong[] starts = [0x1_0000_0000, 0x3_0000_0000, 0x1_0000_2000, 0x8_0000_0000, 0x1_0000_5000, 0x2_0000_0000];
        foreach (ulong start in starts)
        {
            MapFile(start, 2 * GuestPage.Size);
        }

        var pages = new PhysicalPages(_memory, _mappings);
        foreach (ulong start in starts)
        {
            for (int page = -2; page < 4; page++)
            {
                ulong address = start + (ulong)(page * GuestPage.Size);
                Assert.That(pages.Contains(address), Is.EqualTo(_mappings.Exists(m => m.Contains(address))), $"0x{address:X}");
            }
        }
    }

    [Test]
    public void A_walk_ends_where_that_is_requested()
    {
        FillAddressSpace(resolves: false);
        int tables = 0;
        void EndAtTen()
        {
            if (++tables == 10)
            {
                throw new ExecutionCanceledException(CancellationReason.InterruptHandle);
            }
        }

        Assert.That(
            () => SnapshotCapture.Capture(_hypervisor.Object, _memory, _mappings, Root, 1, EndAtTen, out _),
            Throws.TypeOf<ExecutionCanceledException>());
        Assert.That(tables, Is.EqualTo(10));
    }

    /// <summary>The host's work must not grow with what it lends a guest that cannot even write to it.</summary>
    [Test]
    public void A_large_mapping_does_not_allow_larger_tables()
    {
        for (int i = 0; i < 512; i++)
        {
            Entry(Free(13), i, Free(12) | Present | Writable);
            Entry(Free(14), i, Free(13) | Present | Writable);
            Entry(Root, i, Free(14) | Present | Writable);
        }

        MapFile(0x1000_0000, 60UL << 30);

        AssertEndsSoon();
    }

    [Test]
    public void A_root_that_is_nowhere_is_an_empty_guest() =>
        Assert.That(() => Capture(out _, root: 0xF_0000_0000), Throws.TypeOf<SnapshotException>());

    private const ulong WindowAddress = 0x4000_0000_0000;

    private ulong Root => _memory.Layout.PageTableAddress;

    private GuestImage Capture() => Capture(out _);

    private GuestImage Capture(out int unresolved, ulong? root = null) =>
        SnapshotCapture.Capture(_hypervisor.Object, _memory, _mappings, root ?? Root, 1, static () => { }, out unresolved);

    private void MapFile(ulong address, ulong size)
    {
        var file = new Mock<IMemoryRegion>();
        file.Setup(f => f.Size).Returns((nuint)size);
        _mappings.Add(new MappedRegion(2, GuestMapping.Whole(address, file.Object, MemoryFlags.Read), "file", IsOwned: true));
    }

    /// <summary>Few tables that lead to each other everywhere, behind which are leaves without end.</summary>
    private void FillAddressSpace(bool resolves)
    {
        for (int i = 0; i < 512; i++)
        {
            Entry(Free(12), i, (resolves ? Free(10) : 0xF_0000_0000) | Present | Writable);
            Entry(Free(13), i, Free(12) | Present | Writable);
            Entry(Free(14), i, Free(13) | Present | Writable);
            Entry(Root, i, Free(14) | Present | Writable);
        }
    }

    private void AssertEndsSoon()
    {
        var watch = Stopwatch.StartNew();
        HyperlightException exception = Assert.Catch<HyperlightException>(() => Capture())!;
        Assert.That(exception, Is.TypeOf<SnapshotException>().Or.TypeOf<MemoryRequestException>());
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromMinutes(1)));
    }

    /// <summary>Guest physical address of a page of scratch memory that the host does not use.</summary>
    private ulong Free(int page) => Root + ((ulong)(page + 10) * GuestPage.Size);

    /// <summary>An empty leaf table behind a part of the address space that is otherwise unused.</summary>
    private ulong Window() => Table(0, 2, WindowAddress);

    /// <summary>Links empty tables from the root downwards, and returns the last one's address.</summary>
    private ulong Table(int firstPage, int lastPage, ulong address)
    {
        ulong table = Root;
        int shift = 39;
        for (int page = firstPage; page <= lastPage; page++, shift -= 9)
        {
            ulong next = Free(page);
            Entry(table, (int)(address >> shift) & 511, next | Present | Writable);
            table = next;
        }

        return table;
    }

    private void Entry(ulong table, int index, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        _memory.Scratch.Write((nuint)(table - _memory.Layout.ScratchPhysicalBase) + ((nuint)index * sizeof(ulong)), bytes);
    }

    private void Fill(ulong page, byte value) =>
        _memory.Scratch.GetSpan((nuint)(page - _memory.Layout.ScratchPhysicalBase), GuestPage.Size).Fill(value);

    private void Clear(ulong page) =>
        _memory.Scratch.Clear((nuint)(page - _memory.Layout.ScratchPhysicalBase), GuestPage.Size);

    private static byte[] Bytes(IMemoryRegion region)
    {
        byte[] bytes = new byte[region.Size];
        region.Read(0, bytes);
        return bytes;
    }

    /// <summary>Follows an image's page tables to the leaves from an address on.</summary>
    private ulong[] Leaves(GuestImage image, ulong address, int count)
    {
        ReadOnlySpan<byte> tables = image.PageTables;
        int table = (int)((TablesOnTheWay(image, address)[^1] & PageTableEntry.AddressMask) - Root);
        ulong[] leaves = new ulong[count];
        for (int i = 0; i < count; i++)
        {
            leaves[i] = Read(tables, table, ((int)(address >> 12) & 511) + i);
        }

        return leaves;
    }

    /// <summary>The entries above the leaf of an address, from the root's on.</summary>
    private ulong[] TablesOnTheWay(GuestImage image, ulong address)
    {
        ReadOnlySpan<byte> tables = image.PageTables;
        List<ulong> entries = [];
        int table = 0;
        for (int shift = 39; shift > 12; shift -= 9)
        {
            entries.Add(Read(tables, table, (int)(address >> shift) & 511));
            table = (int)((entries[^1] & PageTableEntry.AddressMask) - Root);
        }

        return [.. entries];
    }

    private static ulong Read(ReadOnlySpan<byte> tables, int table, int index) =>
        BinaryPrimitives.ReadUInt64LittleEndian(tables[(table + (index * sizeof(ulong)))..]);

    /// <summary>Counts how often an element is looked at.</summary>
    private sealed class CountingList<T>(IReadOnlyList<T> inner) : IReadOnlyList<T>
    {
        public int Reads { get; private set; }

        public int Count => inner.Count;

        public T this[int index]
        {
            get
            {
                Reads++;
                return inner[index];
            }
        }

        public IEnumerator<T> GetEnumerator() => Enumerable.Range(0, Count).Select(i => this[i]).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }
}
