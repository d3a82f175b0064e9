using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>What regions allocate: each machine has its own, also where the code is there already, so that creating a sandbox pays for them.</summary>
[TestFixture]
internal sealed class RegionAllocationTests
{
    private const ulong First = 0x1000;
    private const int Blocks = 60;

    /// <summary>What is allocated once for a region, and not for each of its blocks.</summary>
    private const long Fixed = 1024;

    [Test]
    public void Finding_the_pages_of_a_region_allocates_nothing_for_each_block()
    {
        var region = Region.Create([.. Chain().Values.Select(static (block, i) => new RegionNode(block) { Position = i })], new Code());
        _ = region.Pages.Length;

        long allocated = AllocatedBy(() => Assert.That(region.Pages.Length, Is.EqualTo(1)));

        Assert.That(allocated, Is.LessThan(Fixed));
    }

    /// <summary>All but the first have code, so that it is found out whether that is in a loop with them.</summary>
    [Test]
    public void Looking_for_a_loop_allocates_nothing_for_each_block_and_round()
    {
        Dictionary<ulong, Block> blocks = Chain();
        foreach (Block block in blocks.Values.Skip(1))
        {
            _ = Region.Create([new RegionNode(block) { Position = 0 }], new Code());
        }

        _ = Build(blocks);
        long allocated = AllocatedBy(() => Assert.That(Build(blocks), Has.Count.EqualTo(1)));

        Assert.That(allocated, Is.LessThan(6 * Fixed));
    }

    private static List<RegionNode> Build(Dictionary<ulong, Block> blocks) =>
        new RegionBuilder(rip => blocks.GetValueOrDefault(rip), isUser: false).Build(blocks[First]);

    private static long AllocatedBy(Action action)
    {
        action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    /// <summary>Blocks of one page, each of which leads to the next one.</summary>
    private static Dictionary<ulong, Block> Chain()
    {
        Dictionary<ulong, Block> blocks = [];
        ulong address = First;
        for (int i = 0; i < Blocks; i++)
        {
            byte[] bytes = LinkedGuest.Assemble(address, c => c.jne(address + 2));
            var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
            decoder.IP = address;
            Instruction instruction = decoder.Decode();
            var page = new HostPage((nint)First);
            blocks[address] = new Block(page, null, new DecodedCode(address, bytes, [Translator.Translate(in instruction)])) { Heat = 1 };
            address += (ulong)bytes.Length;
        }

        return blocks;
    }

    private sealed class Code() : RegionCode(0)
    {
        public override bool HasLinks(bool isUser) => true;

        public override RegionExit Run(Processor processor, Region region, int entry) =>
            throw new InvalidOperationException("The code is not executed.");
    }
}
