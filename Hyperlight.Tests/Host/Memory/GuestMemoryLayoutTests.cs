using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Host.Memory;

namespace Hyperlight.Tests.Host.Memory;

/// <summary>Guest memory against the worked example of the ABI: default sizes, 0x2A123 bytes of code.</summary>
[TestFixture]
internal sealed class GuestMemoryLayoutTests
{
    private const ulong CodeSize = 0x2A123;

    private static GuestMemoryLayout Example => GuestMemoryLayout.Create(new SandboxConfiguration(), CodeSize, 0);

    [Test]
    public void The_image_region_is_laid_out()
    {
        Assert.That(Example.PebAddress, Is.EqualTo(0x2C000));
        Assert.That(Example.HeapOffset + 0x1000, Is.EqualTo(0x2D000));
        Assert.That(Example.ImageSize, Is.EqualTo(0x4C000));
    }

    [Test]
    public void The_scratch_region_is_laid_out()
    {
        Assert.That(Example.ScratchPhysicalBase, Is.EqualTo(0xF_FFFB_8000));
        Assert.That(Example.ScratchVirtualBase, Is.EqualTo(0xFFFF_FFFF_FFFB_7000));
        Assert.That(Example.OutputBufferOffset, Is.EqualTo(0x4000));
        Assert.That(Example.PageTableOffset, Is.EqualTo(0x8000));
        Assert.That(Example.PageTableAddress, Is.EqualTo(0xF_FFFC_0000));
    }

    [Test]
    public void Seven_page_tables_are_needed() =>
        Assert.That(GuestPageTables.Build(Example, MemoryFlags.Read).Size, Is.EqualTo(0x7000));

    [Test]
    public void The_metadata_says_where_the_guest_may_allocate()
    {
        using var scratch = new ManagedMemoryRegion((nuint)Example.ScratchSize);
        using PageTableBuilder tables = GuestPageTables.Build(Example, MemoryFlags.Read);

        ScratchMetadata.Write(scratch, Example, tables.Bytes, generation: 5);

        Assert.That(Word(scratch, 0x08), Is.EqualTo(0x48000), "scratch size");
        Assert.That(Word(scratch, 0x10), Is.EqualTo(0xF_FFFC_7000), "allocator cursor");
        Assert.That(Word(scratch, 0x18), Is.EqualTo(0xF_FFFC_0000), "page tables");
        Assert.That(Word(scratch, 0x20), Is.EqualTo(5), "generation");
        Assert.That(scratch.GetSpan(0x8000, (int)tables.Size).ToArray(), Is.EqualTo(tables.Bytes.ToArray()));
    }

    [Test]
    public void The_peb_describes_buffers_and_heap()
    {
        using var image = new ManagedMemoryRegion((nuint)Example.ImageSize);

        ProcessEnvironmentBlock.Write(image, Example);

        ulong[] words = [.. Enumerable.Range(0, 8).Select(i =>
            BinaryPrimitives.ReadUInt64LittleEndian(image.GetSpan((nuint)(0x2B000 + (8 * i)), 8)))];
        Assert.That(words, Is.EqualTo(new ulong[]
        {
            0x4000, 0xFFFF_FFFF_FFFB_7000, 0x4000, 0xFFFF_FFFF_FFFB_B000, 0, 0x4D000, 0x20000, 0x2D000,
        }));
    }

    [TestCase(0x0UL, 0UL, Description = "null page: not mapped")]
    [TestCase(0x1000UL, 0x1261UL, Description = "code: copy-on-write, executable")]
    [TestCase(0x2B000UL, 0x2B261UL, Description = "last code page")]
    [TestCase(0x2C000UL, 0x8000_0000_0002_C061UL, Description = "PEB: read-only, no execute")]
    [TestCase(0x2D000UL, 0x8000_0000_0002_D261UL, Description = "heap: copy-on-write, no execute")]
    [TestCase(0x4C000UL, 0x8000_0000_0004_C261UL, Description = "last heap page")]
    [TestCase(0x4D000UL, 0UL, Description = "behind the image: not mapped")]
    [TestCase(0xFFFF_FFFF_FFFB_7000UL, 0x8000_000F_FFFB_8063UL, Description = "first scratch page: writable, no execute")]
    [TestCase(0xFFFF_FFFF_FFFF_E000UL, 0x8000_000F_FFFF_F063UL, Description = "last scratch page")]
    [TestCase(0xFFFF_FFFF_FFFF_F000UL, 0UL, Description = "last page of the address space: not mapped")]
    [TestCase(0xFFFF_FFFF_FFFB_6000UL, 0UL, Description = "below scratch: not mapped")]
    public void Each_page_has_its_entry(ulong address, ulong expected) =>
        Assert.That(Walk(GuestPageTables.Build(Example, MemoryFlags.Read), address), Is.EqualTo(expected));

    [Test]
    public void Init_data_has_the_permissions_asked_for()
    {
        GuestMemoryLayout layout = GuestMemoryLayout.Create(new SandboxConfiguration(), CodeSize, 100);
        ulong address = 0x1000 + layout.InitDataOffset;

        Assert.That(Walk(GuestPageTables.Build(layout, MemoryFlags.Read), address), Is.EqualTo(0x8000_0000_0000_0061 | address));
        Assert.That(
            Walk(GuestPageTables.Build(layout, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute), address),
            Is.EqualTo(0x261 | address));
    }

    [Test]
    public void A_guest_with_gigabytes_of_heap_is_mapped_completely()
    {
        var configuration = new SandboxConfiguration { HeapSize = 1UL << 30, ScratchSize = 0x100_0000 };
        GuestMemoryLayout layout = GuestMemoryLayout.Create(configuration, 0x1000, 0);

        using PageTableBuilder tables = GuestPageTables.Build(layout, MemoryFlags.Read);

        ulong last = layout.HeapOffset + 0x1000 + layout.HeapSize - 0x1000;
        Assert.That(Walk(tables, last), Is.EqualTo(0x8000_0000_0000_0261 | last));
        Assert.That(Walk(tables, last + 0x1000), Is.Zero);
    }

    [Test]
    public void An_image_ends_below_the_pages_of_interrupt_controllers()
    {
        const ulong Most = 0xFEC0_0000UL - 0x1000;
        const ulong Heap = Most - 0x3000;
        GuestMemoryLayout largest = GuestMemoryLayout.Create(new SandboxConfiguration { HeapSize = Heap }, 0x2000, 0);
        Assert.That(largest.ImageSize, Is.EqualTo(Most));

        Assert.That(
            () => GuestMemoryLayout.Create(new SandboxConfiguration { HeapSize = Heap + 1 }, 0x2000, 0),
            Throws.TypeOf<MemoryRequestException>()
                .With.Property(nameof(MemoryRequestException.Limit)).EqualTo(Most)
                .And.Message.Contains("from 0xFEC00000 on are not memory on every hypervisor"));
    }

    [Test]
    public void Scratch_memory_that_is_too_small_is_refused()
    {
        var configuration = new SandboxConfiguration { ScratchSize = 0x13000 };

        Assert.That(
            () => GuestMemoryLayout.Create(configuration, CodeSize, 0),
            Throws.TypeOf<MemoryRequestException>()
                .With.Property(nameof(MemoryRequestException.Requested)).EqualTo(0x13000)
                .And.Property(nameof(MemoryRequestException.Limit)).EqualTo(0x14000)
                .And.Property(nameof(MemoryRequestException.IsTooSmall)).True);
    }

    [Test]
    public void Scratch_memory_must_hold_the_page_tables_too()
    {
        GuestMemoryLayout layout = GuestMemoryLayout.Create(new SandboxConfiguration { ScratchSize = 0x14000 }, CodeSize, 0);

        Assert.That(() => layout.CheckScratch(0x7000), Throws.TypeOf<MemoryRequestException>()
            .With.Property(nameof(MemoryRequestException.Limit)).EqualTo(0x1B000));
    }

    [TestCase(0x4_0000_0000UL)]
    [TestCase(ulong.MaxValue - 1)]
    public void A_guest_that_is_too_large_is_refused(ulong codeSize) =>
        Assert.That(
            () => GuestMemoryLayout.Create(new SandboxConfiguration(), codeSize, 0),
            Throws.TypeOf<MemoryRequestException>()
                .With.Property(nameof(MemoryRequestException.Requested)).GreaterThanOrEqualTo(codeSize)
                .And.Property(nameof(MemoryRequestException.Limit)).EqualTo(0xFEBF_F000));

    private static ulong Word(ManagedMemoryRegion scratch, nuint distance) =>
        BinaryPrimitives.ReadUInt64LittleEndian(scratch.GetSpan(scratch.Size - distance, 8));

    private static ulong Walk(PageTableBuilder tables, ulong address)
    {
        ReadOnlySpan<byte> bytes = tables.Bytes;
        ulong tableBase = 0;
        ulong root = 0;
        for (int level = 3; ; level--)
        {
            int index = (int)(address >> (12 + (9 * level))) & 511;
            ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(int)(tableBase + (ulong)(index * 8))..]);
            if (level == 0 || entry == 0)
            {
                return entry;
            }

            Assert.That(entry & 0xFFF, Is.EqualTo(0x23), "a pointer to a lower table");
            root = root == 0 ? RootOf(tables) : root;
            tableBase = (entry & 0x000F_FFFF_FFFF_F000) - root;
        }
    }

    // The first entry of the root points at the table right behind it.
    private static ulong RootOf(PageTableBuilder tables) =>
        (BinaryPrimitives.ReadUInt64LittleEndian(tables.Bytes) & 0x000F_FFFF_FFFF_F000) - 0x1000;
}
