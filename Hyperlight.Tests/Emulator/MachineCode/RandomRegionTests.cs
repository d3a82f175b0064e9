using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using Hyperlight.Tests.Emulator.Differential;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// Regions of instructions at random, with operands as far from each other as they can be: code is emitted for each, and the verifier
/// accepts it. Nothing is executed.
/// </summary>
[TestFixture]
internal sealed class RandomRegionTests
{
    private const int NormalRegions = 2_000;
    private const int MostBlocks = 12;
    private const int MostOps = 40;

    /// <summary>Opcodes with a ModRM byte, most of them emitted.</summary>
    private static readonly byte[][] Opcodes =
    [
        [0x00], [0x01], [0x02], [0x03], [0x08], [0x09], [0x0A], [0x0B], [0x11], [0x13], [0x19], [0x1B], [0x20], [0x21], [0x23], [0x29], [0x2B],
        [0x31], [0x33], [0x38], [0x39], [0x3A], [0x3B], [0x63], [0x69], [0x6B], [0x80], [0x81], [0x83], [0x84], [0x85], [0x86], [0x87], [0x88], [0x89],
        [0x8A], [0x8B], [0x8D], [0xC0], [0xC1], [0xC6], [0xC7], [0xD0], [0xD1], [0xD2], [0xD3], [0xF6], [0xF7], [0xFE], [0xFF],
        [0x0F, 0x10], [0x0F, 0x11], [0x0F, 0x12], [0x0F, 0x13], [0x0F, 0x16], [0x0F, 0x17], [0x0F, 0x28], [0x0F, 0x29], [0x0F, 0x2A], [0x0F, 0x2C],
        [0x0F, 0x2E], [0x0F, 0x44], [0x0F, 0x45], [0x0F, 0x51], [0x0F, 0x54], [0x0F, 0x58], [0x0F, 0x59], [0x0F, 0x5A], [0x0F, 0x5B], [0x0F, 0x6E], [0x0F, 0x6F],
        [0x0F, 0x70], [0x0F, 0x7E], [0x0F, 0x7F], [0x0F, 0x90], [0x0F, 0x95], [0x0F, 0xA3], [0x0F, 0xA4], [0x0F, 0xA5], [0x0F, 0xAB], [0x0F, 0xAC], [0x0F, 0xAD],
        [0x0F, 0xAF], [0x0F, 0xB0], [0x0F, 0xB1], [0x0F, 0xB3], [0x0F, 0xB6], [0x0F, 0xB7], [0x0F, 0xB8], [0x0F, 0xBA], [0x0F, 0xBB], [0x0F, 0xBC], [0x0F, 0xBD],
        [0x0F, 0xBE], [0x0F, 0xBF], [0x0F, 0xC0], [0x0F, 0xC1], [0x0F, 0xC2], [0x0F, 0xC6], [0x0F, 0xC7], [0x0F, 0xD6], [0x0F, 0xE6], [0x0F, 0xE7], [0x0F, 0xEF], [0x0F, 0xFE],
        [0x0F, 0x38, 0x00], [0x0F, 0x38, 0x20], [0x0F, 0x38, 0x2A], [0x0F, 0x38, 0x30], [0x0F, 0x38, 0x17], [0x0F, 0x3A, 0x0A], [0x0F, 0x3A, 0x0F], [0x0F, 0x3A, 0x21],
    ];

    /// <summary>Without one: the stack, strings, absolute addresses, and where blocks end.</summary>
    private static readonly byte[][] Plain =
    [
        [0x50], [0x53], [0x54], [0x55], [0x58], [0x5C], [0x5D], [0x68], [0x6A], [0x98], [0x99], [0xA0], [0xA1], [0xA2], [0xA3], [0xA4], [0xA5], [0xAA], [0xAB],
        [0xA8], [0xA9], [0xB8], [0xC9], [0xC2], [0xC3], [0x70], [0x75], [0xEB], [0xE8], [0x0F, 0x84], [0xF5], [0xF8], [0xF9], [0x0F, 0xC8], [0x0F, 0x31],
    ];

    private static readonly long[] Distances = [0, 1, -1, 4, 8, 16, 64, 200, 255, 256, 4095, -8, 0x7FFF_FFFF, -0x8000_0000, 0x7FFF_FFF8, -0x7FFF_FFF8, long.MinValue, long.MaxValue, 0x8000_0000, 0xFFFF_FFFF];

    private static readonly ulong[] Places = [0, 0x1000, 0x7FFF_0000, 0xFFFF_FFC0, 0x7FFF_FFFF_F000, 0xFFFF_8000_0000_0000, 0xFFFF_FFFF_FFFF_FF00];

    [Test]
    public void The_verifier_accepts_the_code_of_random_regions()
    {
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long count = isReplay ? 1 : TestSettings.Count ?? NormalRegions;
        long emitted = 0;
        for (long i = 0; i < count; i++)
        {
            try
            {
                emitted += Verify(new RandomSource(seed + (ulong)i));
            }
            catch (Exception exception)
            {
                Assert.Fail($"replay with {TestSettings.SeedVariable}={seed + (ulong)i}: {exception}");
            }
        }

        TestContext.Out.WriteLine($"{count} regions, {emitted} bytes");
        Assert.That(emitted, Is.Positive);
    }

    private static int Verify(RandomSource random)
    {
        ulong first = Places[random.Below(Places.Length)];
        byte[] code = Generate(random);
        Dictionary<ulong, Block> blocks = [];
        bool isOften = random.OneIn(2);
        for (int at = 0, i = 0; i < MostBlocks && at < code.Length; i++)
        {
            Block? block = Decode(code, at, first);
            if (block is null)
            {
                break;
            }

            block.Heat = 1 + random.Below(4);
            for (int op = 0; op < block.Ops.Length; op++)
            {
                if (isOften)
                {
                    block.MakeNotes().NotePage(op, block.Ops.Length, random.Next());
                }
            }

            if (block.Ops[^1].Op is Op.JmpIndirect or Op.CallIndirect)
            {
                block.MakeNotes().NoteTarget(first + (ulong)random.Below(code.Length));
                block.MakeNotes().NoteTarget(first);
            }

            blocks[block.Rip] = block;
            at += random.OneIn(8) ? block.Ops[0].Length : block.Bytes.Length;
        }

        bool isUser = random.OneIn(2);
        if (!blocks.TryGetValue(first, out Block? seed))
        {
            return 0;
        }

        List<RegionNode> nodes = new RegionBuilder(blocks.GetValueOrDefault, isUser).Build(seed);
        ReadOnlySpan<byte> emitted = new RegionEmitter(new Hyperlight.Emulator.Compilation.X64.Assembler(), random.Below(5000))
            .Emit(nodes, isUser, out EmittedLayout layout, out _);
        CodeVerifier.Verify(emitted, layout);
        return emitted.Length;
    }

    private static Block? Decode(byte[] code, int at, ulong first)
    {
        ulong rip = first + (ulong)at;
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(code, at, code.Length - at));
        decoder.IP = rip;
        List<MicroOp> ops = [];
        int length = 0;
        while (ops.Count < MostOps)
        {
            decoder.Decode(out Instruction instruction);
            if (decoder.LastError == DecoderError.NoMoreBytes)
            {
                break;
            }

            ops.Add(Translator.Translate(in instruction));
            length += instruction.Length;
            if (OpTable.EndsBlock(ops[^1].Op))
            {
                break;
            }
        }

        return ops.Count == 0 ? null : new Block(new HostPage(0x10000), new DecodedCode(rip, code[at..(at + length)], [.. ops]));
    }

    private static byte[] Generate(RandomSource random)
    {
        List<byte> code = [];
        int bases = 1 + random.Below(3);
        byte[] modRms = new byte[bases];
        random.Fill(modRms);
        int instructions = 4 + random.Below(60);
        for (int i = 0; i < instructions; i++)
        {
            AddPrefixes(code, random);
            if (random.OneIn(4))
            {
                byte[] plain = Plain[random.Below(Plain.Length)];
                code.AddRange(plain);
                AddNumber(code, random, plain[^1] is >= 0xA0 and <= 0xA3 ? 8 : plain[^1] is 0x70 or 0x75 or 0xEB or 0x6A or 0xA8 ? 1 : plain[^1] is 0xC2 ? 2 : plain[^1] is 0x68 or 0xB8 or 0xE8 or 0x84 or 0xA9 ? 4 : 0);
                continue;
            }

            byte[] opcode = Opcodes[random.Below(Opcodes.Length)];
            code.AddRange(opcode);
            int reg = random.Below(8) << 3;
            int rm = random.OneIn(4) ? random.Below(256) & 0xC7 : (modRms[random.Below(bases)] & 7) | (random.Below(3) << 6);
            code.Add((byte)(reg | rm));
            if (rm < 0xC0)
            {
                int sib = random.OneIn(3) ? random.Below(256) : 0x24;
                bool hasSib = (rm & 7) == 4;
                if (hasSib)
                {
                    code.Add((byte)sib);
                }

                AddNumber(code, random, rm >> 6 == 1 ? 1 : rm >> 6 == 2 || (rm & 7) == 5 || (hasSib && (sib & 7) == 5) ? 4 : 0);
            }

            int immediate = opcode[^1] is 0x69 or 0x81 or 0xC7 && opcode.Length == 1 ? 4
                : opcode.Length == 3 && opcode[1] == 0x3A ? 1
                : (opcode.Length == 1 && opcode[0] is 0x6B or 0x80 or 0x83 or 0xC0 or 0xC1 or 0xC6) || (opcode.Length == 2 && opcode[1] is 0x70 or 0xA4 or 0xAC or 0xBA or 0xC2 or 0xC6) ? 1
                : opcode is [0xF6] && reg < 16 ? 1 : opcode is [0xF7] && reg < 16 ? 4 : 0;
            AddNumber(code, random, immediate);
        }

        return [.. code];
    }

    private static void AddPrefixes(List<byte> code, RandomSource random)
    {
        byte[] prefixes = [0x66, 0x67, 0xF2, 0xF3, 0x64, 0x65, 0xF0, 0x2E, 0x36];
        while (random.OneIn(4))
        {
            code.Add(prefixes[random.Below(prefixes.Length)]);
        }

        if (random.OneIn(2))
        {
            code.Add((byte)(0x40 | (random.OneIn(2) ? 8 : random.Below(16))));
        }
    }

    private static void AddNumber(List<byte> code, RandomSource random, int size)
    {
        long value = random.OneIn(4) ? (long)random.Next() : Distances[random.Below(Distances.Length)] + random.Below(32);
        code.AddRange(BitConverter.GetBytes(value).AsSpan(0, size));
    }
}
