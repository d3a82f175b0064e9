using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>How much machine code a guest becomes, all of which is hot.</summary>
[TestFixture]
internal sealed class CodeSizeTests
{
    private const ulong First = 0x1000;
    private const int Functions = 60;

    /// <summary>It was 50 when this was written, with the code by which regions are entered, left and linked.</summary>
    private const double MostBytesPerInstruction = 52;

    /// <summary>It was 1.0 when this was written.</summary>
    private const double MostTranslations = 1.1;

    [Test]
    public void Code_is_small_and_translated_few_times()
    {
        Dictionary<ulong, Block> blocks = Decode(Guest());
        HashSet<Block> done = [];
        HashSet<ulong> distinct = [];
        int translated = 0;
        long size = 0;
        foreach (Block block in blocks.Values.Where(block => !done.Contains(block)))
        {
            List<RegionNode> nodes = new RegionBuilder(blocks.GetValueOrDefault, isUser: false).Build(block);
            size += new RegionEmitter(new Hyperlight.Emulator.Compilation.X64.Assembler()).Emit(nodes, isUser: false, out _, out _).Length;
            Region.Create(nodes, new PlacedCode());
            translated += nodes.Sum(static node => node.Length);
            foreach (RegionNode node in nodes)
            {
                done.Add(node.Block);
                distinct.UnionWith(node.Ops.ToArray().Select(static op => op.Rip));
            }
        }

        TestContext.Out.WriteLine($"{size} bytes, {translated} instructions, {distinct.Count} of them different");
        Assert.That(distinct, Has.Count.EqualTo(blocks.Values.Sum(static block => block.Ops.Length)), "all code is translated");
        Assert.That((double)size / distinct.Count, Is.LessThanOrEqualTo(MostBytesPerInstruction));
        Assert.That((double)translated / distinct.Count, Is.LessThanOrEqualTo(MostTranslations));
    }

    [Test]
    public void Operands_that_were_not_seen_apart_have_one_copy()
    {
        Dictionary<ulong, Block> blocks = Decode(Guest());
        List<RegionNode> nodes = new RegionBuilder(blocks.GetValueOrDefault, isUser: false).Build(blocks[First]);
        int size = Emit();
        blocks[First].HasOperandsApart = true;

        Assert.That(Emit(), Is.GreaterThan(size));

        int Emit() => new RegionEmitter(new Hyperlight.Emulator.Compilation.X64.Assembler()).Emit(nodes, isUser: false, out _, out _).Length;
    }

    /// <summary>Functions with a loop over structures, of which each calls the next one twice.</summary>
    private static byte[] Guest() => LinkedGuest.Assemble(First, static c =>
    {
        Label[] functions = [.. Enumerable.Range(0, Functions + 1).Select(_ => c.CreateLabel())];
        for (int i = 0; i < Functions; i++)
        {
            Label again = c.CreateLabel();
            Label isNegative = c.CreateLabel();
            c.Label(ref functions[i]);
            c.push(rbx);
            c.push(rbp);
            c.mov(rbx, rdi);
            c.mov(rbp, __qword_ptr[rsi + 8]);
            c.add(rbp, __qword_ptr[rsi + 16]);
            c.Label(ref again);
            c.mov(eax, __dword_ptr[rbx + rbp * 4]);
            c.test(eax, eax);
            c.js(isNegative);
            c.add(__qword_ptr[rbx], rax);
            c.mov(__qword_ptr[rbx + 8], rbp);
            c.dec(rbp);
            c.jne(again);
            c.Label(ref isNegative);
            c.mov(rdi, rbx);
            c.call(functions[i + 1]);
            c.lea(rdi, __[rax + rbx]);
            c.call(functions[i + 1]);
            c.pop(rbp);
            c.pop(rbx);
            c.ret();
        }

        c.Label(ref functions[Functions]);
        c.mov(rax, rdi);
        c.ret();
    });

    /// <summary>Blocks as if all of them had been executed: they begin where others end or lead.</summary>
    private static Dictionary<ulong, Block> Decode(byte[] bytes)
    {
        List<Instruction> all = [];
        HashSet<ulong> targets = [];
        Decoder decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.IP = First;
        while (decoder.IP < First + (ulong)bytes.Length)
        {
            decoder.Decode(out Instruction instruction);
            all.Add(instruction);
            targets.Add(instruction.NearBranchTarget);
        }

        Dictionary<ulong, Block> blocks = [];
        List<MicroOp> ops = [];
        ulong start = First;
        foreach (Instruction instruction in all)
        {
            ops.Add(Translator.Translate(in instruction));
            if (OpTable.EndsBlock(ops[^1].Op) || targets.Contains(instruction.NextIP))
            {
                byte[] code = bytes[(int)(start - First)..(int)(instruction.NextIP - First)];
                blocks[start] = new Block(default, null, new DecodedCode(start, code, [.. ops])) { Heat = 1 };
                start = instruction.NextIP;
                ops.Clear();
            }
        }

        return blocks;
    }

    /// <summary>Code that has a place, so that others link to it.</summary>
    private sealed class PlacedCode() : RegionCode(0)
    {
        public override bool HasLinks(bool isUser) => true;

        public override RegionExit Run(Processor processor, Region region, int entry) => throw new InvalidOperationException("It is only measured.");
    }
}
