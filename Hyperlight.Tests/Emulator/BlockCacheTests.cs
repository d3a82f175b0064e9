using System.Runtime.InteropServices;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Tests.Emulator;

/// <summary>What is kept of code that changed or moved.</summary>
[TestFixture]
internal sealed unsafe class BlockCacheTests
{
    private const byte Return = 0xC3;
    private const int Pages = 32;
    private const ulong Linear = 0x10_0000;
    private const long MostBytes = 8 << 20;

    /// <summary>The run in which code was last seen unchanged.</summary>
    private const long Run = 7;

    private byte* _memory;
    private BlockCache _blocks = null!;

    [SetUp]
    public void Create()
    {
        _memory = (byte*)NativeMemory.AlignedAlloc(Pages * HostPage.Size, HostPage.Size);
        new Span<byte>(_memory, Pages * HostPage.Size).Fill(Return);
        _blocks = new BlockCache(MostBytes);
    }

    [TearDown]
    public void Free() => NativeMemory.AlignedFree(_memory);

    /// <summary>A guest can execute each byte of a page and then write to it, and go on with the next page.</summary>
    [Test]
    public void Pages_that_were_written_keep_no_room_for_blocks()
    {
        for (int page = 0; page < Pages; page++)
        {
            Fill(page);
            Assert.That(_blocks.Invalidate(PageAt(page), 0, 1), Is.True);
        }

        Assert.That(_blocks.DecodedSize, Is.Zero);
        Assert.That(_blocks.RoomForBlocks, Is.LessThanOrEqualTo(Pages * 16));
        Assert.That(_blocks.Invalidations(PageAt(0)), Is.EqualTo(1), "what is no longer decoded is known to have changed");
    }

    [Test]
    public void Many_blocks_are_found_as_few_are([Values(1, 200, HostPage.Size)] int count)
    {
        Block[] added = [.. Enumerable.Range(0, count).Select(Add)];

        Assert.That(added.Select(block => _blocks.Find(block.Key, block.Rip)), Is.EqualTo(added));
        Assert.That(added.Select(block => _blocks.Find(block.Key, block.Rip)), Is.EqualTo(added), "once they were found");
        Assert.That(_blocks.Find(PageAt(1).Identity, Linear + HostPage.Size), Is.Null);
    }

    [Test]
    public void Blocks_that_make_room_for_others_leave_nothing()
    {
        for (int page = 0; page < Pages; page++)
        {
            Fill(page, run: page);
        }

        Assert.That(_blocks.DecodedSize, Is.LessThanOrEqualTo(MostBytes));
        Assert.That(_blocks.RoomForBlocks, Is.LessThanOrEqualTo(4 * MostBytes / BlockAt(0, 0, Linear).MemorySize));
    }

    /// <summary>A guest can execute each page of its memory and then write to it: what is remembered of them counts as memory of no block.</summary>
    [Test]
    public void Of_some_thousand_pages_it_is_remembered_that_their_code_changed()
    {
        const int Written = 30_000;
        for (int page = 0; page < Written; page++)
        {
            _blocks.Add(BlockAt(page, 0, Linear));
            _blocks.Invalidate(PageAt(page));
        }

        Assert.That(_blocks.PageCount, Is.LessThan(Written * 2 / 3));
        Assert.That(_blocks.Invalidations(PageAt(Written - 1)), Is.EqualTo(1));
    }

    [Test]
    public void A_block_that_leads_to_several_has_the_memory_for_their_addresses()
    {
        const int Targets = 32;
        MicroOp jump = new() { Op = Op.JmpIndirect };
        var block = new Block(PageAt(0), new DecodedCode(Linear, [Return], [jump]));
        for (ulong i = 0; i < 2 * Targets; i++)
        {
            block.MakeNotes().NoteTarget(i);
        }

        Assert.That(block.Targets, Has.Count.EqualTo(Targets));
        Assert.That(block.MemorySize - BlockAt(0, 0, Linear).MemorySize, Is.GreaterThanOrEqualTo(Targets * sizeof(ulong)));
    }

    [Test]
    public void A_range_that_the_host_replaces_is_as_if_nothing_had_been_there()
    {
        Fill(0);
        _blocks.Invalidate(PageAt(0));
        Fill(0);
        _blocks.Invalidate(PageAt(1));
        Fill(1);

        _blocks.InvalidateRange((ulong)_memory, HostPage.Size);

        Assert.That(_blocks.HasCode(PageAt(0)), Is.False);
        Assert.That(_blocks.HasCode(PageAt(1)), Is.True);
        Assert.That(_blocks.Invalidations(PageAt(0)), Is.Zero);
    }

    /// <summary>One page at two linear addresses: each block takes the place of the one at the other address.</summary>
    [Test]
    public void A_page_that_is_executed_at_two_addresses_has_one_block_for_each_place()
    {
        const int Alternations = 1000;
        for (int i = 0; i < Alternations; i++)
        {
            _blocks.Add(BlockAt(0, 5, Linear + ((ulong)(i & 1) * HostPage.Size)));
        }

        Assert.That(_blocks.DecodedSize, Is.EqualTo(BlockAt(0, 5, Linear).MemorySize));
        Assert.That(_blocks.HasCode(PageAt(0), 5, 1), Is.True);
    }

    [Test]
    public void A_replaced_block_leaves_both_of_its_pages([Values(0, 1)] int secondPage)
    {
        const int Last = HostPage.Size - 1;
        _blocks.Add(new CrossingBlock(PageAt(0), PageAt(secondPage), new DecodedCode(Linear + Last, [0x66, Return], new MicroOp[1])));

        _blocks.Add(BlockAt(0, Last, Linear + HostPage.Size));

        Assert.That(_blocks.DecodedSize, Is.EqualTo(BlockAt(0, Last, Linear).MemorySize));
        Assert.That(_blocks.HasCode(PageAt(0)), Is.True);
        Assert.That(_blocks.HasCode(PageAt(1)), Is.False);
    }

    [Test]
    public void Code_is_forgotten_by_all_blocks_that_are_in_it_when_one_of_them_is()
    {
        const int Count = 300;
        Block shared = Add(0);
        Block[] first = [.. Enumerable.Range(1, Count).Select(Add)];
        Block[] second = [.. Enumerable.Range(Count + 1, Count).Select(Add)];
        Array.ForEach(second, block => Compile(block, shared, first[0]));
        Array.ForEach(first, block => Compile(block, shared));

        second[0].InvalidateRegions();
        Assert.That(second[0].Region, Is.Null);
        Assert.That(second[1].Region, Is.Not.Null);

        shared.InvalidateRegions();
        Assert.That(first.Concat(second).Append(shared).Select(static block => block.Region), Is.All.Null);
        Assert.That(first.Concat(second).Append(shared).Any(static block => block.IsOfRun(Run)), Is.False);
    }

    private static void Compile(params Block[] blocks)
    {
        List<RegionNode> nodes = [.. blocks.Select(static (block, i) => new RegionNode(block) { Position = i })];
        Region.Create(nodes, new NoCode()).VerifiedInRun = Run;
    }

    private Block Add(int offset)
    {
        Block block = BlockAt(0, offset, Linear);
        _blocks.Add(block);
        return block;
    }

    private void Fill(int page, long run = 0)
    {
        for (int offset = 0; offset < HostPage.Size; offset++)
        {
            Block block = BlockAt(page, offset, Linear);
            block.VerifiedInRun = run;
            _blocks.Add(block);
        }
    }

    private HostPage PageAt(int page) => new((nint)_memory + (page * HostPage.Size));

    private Block BlockAt(int page, int offset, ulong linear) =>
        new(PageAt(page), new DecodedCode(linear + (ulong)offset, [Return], new MicroOp[1]));

    private sealed class NoCode() : RegionCode(0)
    {
        public override RegionExit Run(RegionRunner runner, Region region, int entry) =>
            throw new InvalidOperationException("The code is not executed.");
    }
}
