using System.Diagnostics;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Every instruction, alone, with random operands: the processor of this machine says what is right.</summary>
[TestFixture, NonParallelizable]
internal sealed class InstructionDifferentialTests
{
    /// <summary>States for each choice of operands.</summary>
    private const int StatesPerChoice = 6;
    private const int LongestInstruction = 15;
    private const int NormalExecutions = 250_000;
    private const int LongExecutions = 12_000_000;

    [Test]
    public void Instructions_do_what_the_processor_does([Values] Tier tier)
    {
        NativeProcessor.Require();
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long wanted = isReplay ? 1 : TestSettings.IsLong ? LongExecutions : NormalExecutions;
        IReadOnlyList<Code> codes = TestedInstructions.All;
        long start = Stopwatch.GetTimestamp();
        using var run = new DifferentialRun(tier);
        long states = 0;
        for (ulong round = 0; states < wanted; round++)
        {
            states += Round(run, codes[(int)((seed + round) % (ulong)codes.Count)], seed + round);
        }

        TestContext.Out.WriteLine(
            $"{tier}: {run.Executions} executions of {run.Executed.Count} of {codes.Count} instructions and {run.DivideErrors} #DE, "
            + $"{Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        TestContext.Out.WriteLine($"{run.NotImplemented.Count} not implemented: {string.Join(' ', run.NotImplemented)}");
        run.AssertEqual();
    }

    /// <summary>One choice of operands with several states: what a seed stands for.</summary>
    private static int Round(DifferentialRun run, Code code, ulong seed)
    {
        var random = new RandomSource(seed);
        var values = new OperandValues(random);
        var generator = new InstructionGenerator(random, values);
        var memory = new OperandMemory(random, values);
        var candidate = new Candidate();
        run.Placement.Begin(random, 2 * LongestInstruction);
        if (!generator.TryGenerate(code, run.Placement.Start, candidate))
        {
            return 1;
        }

        Encoder.Create(64, run.Placement).Encode(in candidate.Instruction, run.Placement.Start);
        run.Placement.Place();
        memory.Refill();
        CpuState state = default;
        for (int i = 0; i < StatesPerChoice; i++)
        {
            values.Fill(ref state);
            candidate.Apply(ref state);
            state.Rip = run.Placement.Start;
            memory.Prepare(in candidate.Instruction, candidate.OperandAddress, in state);
            run.Execute(in candidate.Instruction, candidate.OperandAddress, in state, memory, seed);
        }

        return StatesPerChoice;
    }
}
