using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>What a region takes along, and what it leaves to regions that are there.</summary>
[TestFixture]
internal sealed class RegionBuilderTests
{
    private const ulong First = 0x1000;
    private const ulong Second = 0x1100;
    private const ulong Third = 0x1200;

    private readonly Dictionary<ulong, Block> _blocks = [];

    [SetUp]
    public void Forget() => _blocks.Clear();

    [Test]
    public void What_has_no_code_is_taken_along()
    {
        Add(First, static c => c.jmp(Second));
        Add(Second, static c => c.ret());

        Assert.That(Build(First), Is.EqualTo(new[] { First, Second }));
    }

    [Test]
    public void What_has_code_is_left_to_it_and_so_is_what_is_behind_it()
    {
        Add(First, static c => c.jmp(Second));
        Compile(Add(Second, static c => c.jmp(Third)));
        Add(Third, static c => c.ret());

        Assert.That(Build(First), Is.EqualTo(new[] { First }));
    }

    [Test]
    public void A_loop_is_taken_along_with_the_code_that_its_blocks_have()
    {
        Add(First, static c => c.jmp(Second));
        Compile(Add(Second, static c => c.jmp(Third)));
        Compile(Add(Third, static c => c.jmp(First)));

        Assert.That(Build(First), Is.EqualTo(new[] { First, Second, Third }));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_function_is_taken_along_by_a_loop_only(bool isLoop)
    {
        Add(First, static c => c.call(Second));
        Compile(Add(Second, static c => c.ret()));
        Block behind = Add(First + 5, c => c.jmp(isLoop ? First : Third));

        Assert.That(Build(First), Is.EquivalentTo(isLoop ? new[] { First, Second, behind.Rip } : [First, behind.Rip]));
    }

    [Test]
    public void Dispatches_are_taken_along_by_what_they_lead_to()
    {
        Add(First, static c => c.jmp(Second));
        Block dispatch = Add(Second, static c => c.jmp(rax));
        dispatch.MakeNotes().NoteTarget(Third);
        dispatch.MakeNotes().NoteTarget(Third + 1);
        Compile(dispatch);

        Assert.That(Build(First), Is.EqualTo(new[] { First, Second }));
        Assert.That(dispatch.Targets, Does.Contain(First));
    }

    [Test]
    public void Code_that_cannot_be_linked_to_is_taken_along()
    {
        Add(First, static c => c.jmp(Second));
        Compile(Add(Second, static c => c.ret()), isUser: true);

        Assert.That(Build(First), Is.EqualTo(new[] { First, Second }));
    }

    private ulong[] Build(ulong seed)
    {
        var builder = new RegionBuilder(rip => _blocks.GetValueOrDefault(rip), isUser: false);
        return [.. builder.Build(_blocks[seed]).Select(static node => node.Block.Rip).Distinct()];
    }

    private Block Add(ulong address, Action<Assembler> code)
    {
        byte[] bytes = LinkedGuest.Assemble(address, code);
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.IP = address;
        Instruction instruction = decoder.Decode();
        return _blocks[address] = new Block(default, new DecodedCode(address, bytes, [Translator.Translate(in instruction)]));
    }

    /// <summary>Gives a block code of its own, which is not executed.</summary>
    private static void Compile(Block block, bool isUser = false) =>
        Region.Create([new RegionNode(block) { Position = 0 }], new Code(isUser));

    private sealed class Code(bool isOfUser) : RegionCode(0)
    {
        public override bool HasLinks(bool isUser) => isUser == isOfUser;

        public override RegionExit Run(RegionRunner runner, Region region, int entry) =>
            throw new InvalidOperationException("The code is not executed.");
    }
}
