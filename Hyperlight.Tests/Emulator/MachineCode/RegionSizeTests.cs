using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Decoding;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Code is placed as a whole: also the largest region of the instructions that take most of it fits, and leaves little room unused.</summary>
[TestFixture]
internal sealed class RegionSizeTests
{
    private const ulong First = 0x1000;
    private const int Count = 400;
    private const int LargestSize = CodeChunk.Size / 2;

    private static readonly Dictionary<string, Action<Assembler>> Instructions = new()
    {
        ["rep movsb"] = static c => c.rep.movsb(),
        ["rep movsw"] = static c => c.rep.movsw(),
        ["rep movsq"] = static c => c.rep.movsq(),
        ["rep stosw"] = static c => c.rep.stosw(),
        ["two pointers"] = static c => { c.add(__qword_ptr[rdi + rcx * 8 + 0x1234], r11); c.adc(__qword_ptr[rsi + rdx * 8 + 0x1234], r12); },
        ["a constant in memory"] = static c => { c.sub(__qword_ptr[r10 + r9 * 8 + 0x1234], 0x1234_5678); c.sbb(__qword_ptr[r8 + r9 * 8 + 0x1234], 0x1234_5678); },
        ["a value of a segment"] = static c => { c.inc(__qword_ptr.fs[r10 + r9 * 8 + 0x1234]); c.dec(__qword_ptr.gs[r8 + r9 * 8 + 0x1234]); },
        ["an exchange"] = static c => { c.cmpxchg(__qword_ptr[rdi + rcx * 8 + 0x1234], r11); c.xadd(__qword_ptr[rsi + rcx * 8 + 0x1234], r12); },
        ["a shift by a register"] = static c => { c.shl(__qword_ptr[rdi + r9 * 8 + 0x1234], cl); c.rol(__qword_ptr[rsi + r9 * 8 + 0x1234], cl); },
        ["a double shift"] = static c => { c.shld(__qword_ptr[rdi + r9 * 8 + 0x1234], r11, cl); c.shrd(__qword_ptr[rsi + r9 * 8 + 0x1234], r12, cl); },
        ["a division"] = static c => { c.idiv(__qword_ptr[rdi + r9 * 8 + 0x1234]); c.div(__qword_ptr[rsi + r9 * 8 + 0x1234]); },
        ["a high byte"] = static c => { c.add(ah, bh); c.xor(ch, dh); c.add(__byte_ptr[rdi + rcx * 8 + 0x1234], dh); },
        ["a vector"] = static c => { c.paddd(xmm3, __xmmword_ptr[rdi + r9 * 8 + 0x1234]); c.movups(__xmmword_ptr[rsi + r9 * 8 + 0x1234], xmm12); },
        ["a vector of numbers"] = static c => { c.mulpd(xmm3, __xmmword_ptr[rdi + r9 * 8 + 0x1234]); c.divpd(xmm12, __xmmword_ptr[rsi + r9 * 8 + 0x1234]); },
        ["the stack"] = static c => { c.push(__qword_ptr[rdi + r9 * 8 + 0x1234]); c.pop(rax); },
        ["a branch"] = static c => { c.add(__qword_ptr[rdi + rcx * 8 + 0x1234], r11); c.jo(0x7FFF_0000); },
        ["a call"] = static c => { c.push(__qword_ptr[rdi + r9 * 8 + 0x1234]); c.call(0x7FFF_0000); },
        ["an instruction of the interpreter"] = static c => { c.bts(__qword_ptr[rdi + 0x1234], rax); c.fld1(); },
    };

    private static IEnumerable<string> Names => Instructions.Keys;

    [TestCaseSource(nameof(Names))]
    public void The_largest_region_is_placed(string name)
    {
        Dictionary<ulong, Block> blocks = Decode(LinkedGuest.Assemble(First, c =>
        {
            for (int i = 0; i < Count; i++)
            {
                Instructions[name](c);
            }
        }));
        List<RegionNode> nodes = new RegionBuilder(blocks.GetValueOrDefault, isUser: false).Build(blocks[First]);

        int size = new RegionEmitter(new Hyperlight.Emulator.Compilation.X64.Assembler()).Emit(nodes, isUser: false, out _, out _).Length;

        int instructions = nodes.Sum(static node => node.Block.Ops.Length);
        TestContext.Out.WriteLine($"{instructions} instructions in {nodes.Count} blocks, {size} bytes");
        Assert.That(size, Is.LessThanOrEqualTo(LargestSize));
    }

    /// <summary>Blocks as the processor makes them.</summary>
    private static Dictionary<ulong, Block> Decode(byte[] bytes)
    {
        var blocks = new Dictionary<ulong, Block>();
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.IP = First;
        ulong start = First;
        var ops = new List<MicroOp>();
        while (decoder.IP < First + (ulong)bytes.Length)
        {
            Instruction instruction = decoder.Decode();
            ops.Add(Translator.Translate(in instruction));
            if (OpTable.EndsBlock(ops[^1].Op) || ops.Count == DecodingBuffers.LongestBlock)
            {
                blocks[start] = new Block(default, new DecodedCode(start, bytes[(int)(start - First)..(int)(decoder.IP - First)], [.. ops])) { Heat = 1 };
                start = decoder.IP;
                ops.Clear();
            }
        }

        return blocks;
    }
}
