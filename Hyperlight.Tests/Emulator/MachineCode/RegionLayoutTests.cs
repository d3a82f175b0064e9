using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>How the blocks of a region are cut, ordered and copied.</summary>
[TestFixture]
internal sealed class RegionLayoutTests
{
    private const ulong First = 0x1000;
    private const ulong Second = 0x1100;
    private const ulong Third = 0x1200;

    private readonly Dictionary<ulong, RegionNode> _nodes = [];

    [SetUp]
    public void Forget() => _nodes.Clear();

    [TestCase(1, 1, 2, "1000 1002 1002c")]
    [TestCase(1, 2, 2, "1000 1002 1002c")]
    [TestCase(2, 1, 3, "1000 1002 1002c")]
    public void A_block_ends_where_another_one_begins_unless_that_is_executed_less_often(int heat, int inner, int length, string order)
    {
        // Two instructions, and a loop of a jump to itself: the first block runs into it.
        RegionNode entry = Add(First, heat, static c =>
        {
            c.nop();
            c.nop();
            c.jmp(First + 2);
        });
        Add(First + 2, inner, static c => c.jmp(First + 2));

        Assert.That(Order(), Is.EqualTo(order.Replace(" 1002c", string.Empty, StringComparison.Ordinal)));
        Assert.That(entry.Length, Is.EqualTo(length));
    }

    [Test]
    public void A_block_without_its_end_does_not_go_where_the_end_goes()
    {
        RegionNode entry = Add(First, 1, static c =>
        {
            c.nop();
            c.jmp(rax);
        });
        RegionNode dispatch = Add(First + 1, 1, static c => c.jmp(rax));
        entry.Block.MakeNotes().NoteTarget(Second);
        dispatch.Block.MakeNotes().NoteTarget(Second);
        Add(Second, 1, static c => c.ret());

        Order();

        Assert.That(entry.Targets, Is.Empty);
        Assert.That(dispatch.Targets, Is.EqualTo(new[] { Second }));
        Assert.That(entry.Next, Is.SameAs(dispatch));
    }

    [Test]
    public void A_block_that_one_block_jumps_to_continues_it()
    {
        Add(First, 1, static c => c.jmp(Second));
        RegionNode second = Add(Second, 1, static c => c.ret());

        Assert.That(Order(), Is.EqualTo("1000 1100"));
        Assert.That(second.Continues, Is.True);
    }

    [Test]
    public void The_condition_of_a_loop_is_copied_behind_the_jump_to_it()
    {
        Add(First, 1, static c => c.jmp(Third));
        RegionNode body = Add(Second, 1, static c => c.jmp(Third));
        RegionNode condition = Add(Third, 1, static c => c.je(Second));

        Assert.That(Order(), Is.EqualTo("1000 1200 1100 1200"));
        Assert.That(body.Target, Is.Not.SameAs(condition));
        Assert.That(body.Target!.Block, Is.SameAs(condition.Block));
        Assert.That(body.Target.Continues, Is.True);
        Assert.That(body.Target.Position, Is.EqualTo(body.Position + 1));
        Assert.That(body.Target.Target, Is.SameAs(body), "the copy leads where the original does");
    }

    [Test]
    public void A_trace_is_copied_as_a_whole()
    {
        // The end of the trace is reached from its beginning alone.
        Add(First, 1, static c => c.je(Third));
        Add(First + 6, 1, static c => c.jmp(rax));
        RegionNode other = Add(Third, 1, static c => c.jmp(First));

        Assert.That(Order(), Is.EqualTo("1000 1006 1200 1000 1006"));
        RegionNode copy = other.Target!;
        Assert.That(copy.Next!.Position, Is.EqualTo(4));
        Assert.That(copy.Next.Continues, Is.True);
    }

    [Test]
    public void What_is_long_is_not_copied()
    {
        Add(First, 1, static c =>
        {
            for (int i = 0; i < 32; i++)
            {
                c.nop();
            }

            c.ret();
        });
        RegionNode jump = Add(Second, 1, static c => c.jmp(First));

        Assert.That(Order(), Is.EqualTo("1000 1100"));
        Assert.That(jump.Target!.Position, Is.Zero);
    }

    [Test]
    public void A_region_has_few_copies()
    {
        Add(First, 1, static c =>
        {
            for (int i = 0; i < 29; i++)
            {
                c.nop();
            }

            c.ret();
        });
        for (uint i = 0; i < 4; i++)
        {
            Add(Second + (i * 8), 1, static c => c.jmp(First));
        }

        Assert.That(Order(), Is.EqualTo("1000 1100 1000 1108 1000 1110 1118"));
    }

    private string Order() =>
        string.Join(' ', new RegionLayout(_nodes, [.. _nodes.Values]).Order().Select(static node => node.Block.Rip.ToString("x", null)));

    private RegionNode Add(ulong address, int heat, Action<Assembler> code)
    {
        byte[] bytes = LinkedGuest.Assemble(address, code);
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.IP = address;
        List<MicroOp> ops = [];
        while (decoder.IP < address + (ulong)bytes.Length)
        {
            Instruction instruction = decoder.Decode();
            ops.Add(Translator.Translate(in instruction));
        }

        var block = new Block(default, new DecodedCode(address, bytes, [.. ops])) { Heat = heat };
        return _nodes[address] = new RegionNode(block);
    }
}
