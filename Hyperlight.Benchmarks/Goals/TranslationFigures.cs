using System.Diagnostics;
using Hyperlight.Benchmarks.Scenarios;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Iced.Intel;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>What it costs to emit machine code for all code of the benchmark guest.</summary>
/// <param name="MicrosecondsPerInstruction">The shortest time of each region over a few rounds, choice of its blocks included.</param>
/// <param name="BytesPerByte">Bytes of machine code for a byte of the guest's: regions overlap, so that a block is in several.</param>
/// <param name="Instructions">How many instructions of the guest were translated.</param>
internal sealed record TranslationFigures(double MicrosecondsPerInstruction, double BytesPerByte, int Instructions)
{
    private const int Rounds = 12;
    private const int LongestBlock = 64;

    /// <summary>Measures it, where emitted code can be executed.</summary>
    public static TranslationFigures? Measure()
    {
        if (EmittingCompiler.WhyUnusable is not null)
        {
            return null;
        }

        Dictionary<ulong, Block> blocks = Decode(BenchGuest.Code);
        List<double> shortest = [];
        var emitter = new RegionEmitter(new Hyperlight.Emulator.Compilation.X64.Assembler());
        int instructions = 0;
        long guestBytes = 0;
        long bytes = 0;
        for (int round = 0; round < Rounds; round++)
        {
            HashSet<ulong> done = [];
            (instructions, guestBytes, bytes) = (0, 0, 0);
            int region = 0;
            foreach (Block block in blocks.Values)
            {
                block.InvalidateRegions();
            }

            foreach (Block block in blocks.Values)
            {
                if (done.Contains(block.Rip))
                {
                    continue;
                }

                long start = Stopwatch.GetTimestamp();
                List<RegionNode> nodes = new RegionBuilder(rip => blocks.GetValueOrDefault(rip), isUser: false).Build(block);
                bytes += emitter.Emit(nodes, false, out _, out _).Length;
                double time = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
                if (round == 0)
                {
                    shortest.Add(time);
                }

                shortest[region] = Math.Min(shortest[region], time);
                region++;
                Region.Create(nodes, new MeasuredCode());
                foreach (RegionNode node in nodes)
                {
                    if (done.Add(node.Block.Rip))
                    {
                        guestBytes += node.Block.Bytes.Length;
                    }

                    instructions += node.Block.Ops.Length;
                }
            }
        }

        return new TranslationFigures(shortest.Sum() / instructions, (double)bytes / guestBytes, instructions);
    }

    /// <summary>Divides code into blocks, as if all of it had been executed.</summary>
    private static Dictionary<ulong, Block> Decode((ulong Address, byte[] Bytes) code)
    {
        List<Instruction> all = [];
        HashSet<ulong> targets = [];
        var decoder = Iced.Intel.Decoder.Create(64, new ByteArrayCodeReader(code.Bytes));
        decoder.IP = code.Address;
        while (decoder.IP < code.Address + (ulong)code.Bytes.Length)
        {
            decoder.Decode(out Instruction instruction);
            all.Add(instruction);
            if (instruction.FlowControl is FlowControl.ConditionalBranch or FlowControl.UnconditionalBranch or FlowControl.Call)
            {
                targets.Add(instruction.NearBranchTarget);
            }
        }

        Dictionary<ulong, Block> blocks = [];
        List<MicroOp> ops = [];
        ulong start = 0;
        foreach (Instruction instruction in all)
        {
            start = ops.Count == 0 ? instruction.IP : start;
            if (instruction.IsInvalid)
            {
                ops.Clear();
                continue;
            }

            MicroOp op = Translator.Translate(in instruction);
            ops.Add(op);
            if (OpTable.EndsBlock(op.Op) || ops.Count == LongestBlock || targets.Contains(instruction.NextIP))
            {
                byte[] bytes = code.Bytes[(int)(start - code.Address)..(int)(instruction.NextIP - code.Address)];
                blocks[start] = new Block(default, new DecodedCode(start, bytes, [.. ops])) { Heat = 1 };
                ops.Clear();
            }
        }

        return blocks;
    }

    /// <summary>Code that is only measured: its blocks have a region, to which others link.</summary>
    private sealed class MeasuredCode() : RegionCode(0)
    {
        public override bool HasLinks(bool isUser) => true;

        public override RegionExit Run(RegionRunner runner, Region region, int entry) =>
            throw new InvalidOperationException("The code was not placed in executable memory.");
    }
}
