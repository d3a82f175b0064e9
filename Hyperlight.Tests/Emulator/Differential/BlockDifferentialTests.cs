using System.Diagnostics;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Instructions after each other, with branches and loops: what one leaves behind the next one meets.</summary>
[TestFixture, NonParallelizable]
internal sealed class BlockDifferentialTests
{
    private const int MostBytes = 3000;

    /// <summary>States for each choice of instructions: more where each is compiled, which takes most of the time.</summary>
    private const int InterpretedStates = 6;
    private const int CompiledStates = 24;

    private const int NormalExecutions = 200_000;
    private const int NormalCompiledExecutions = 60_000;
    private const int LongExecutions = 10_000_000;

    [Test]
    public void Blocks_do_what_the_processor_does([Values] Tier tier)
    {
        NativeProcessor.Require();
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long wanted = TestSettings.Count ?? (isReplay ? 1 : TestSettings.IsLong ? LongExecutions
            : tier != Tier.Interpreter ? NormalCompiledExecutions : NormalExecutions);
        long start = Stopwatch.GetTimestamp();
        using var run = new DifferentialRun(tier);
        IReadOnlyList<Code> codes = run.FindImplemented(TestedInstructions.All);
        int states = tier != Tier.Interpreter ? CompiledStates : InterpretedStates;
        ulong round = 0;
        for (; run.Executions < wanted; round++)
        {
            Round(run, states, codes, seed + round);
        }

        TestContext.Out.WriteLine(
            $"{tier}: {run.Executions} executions in {round} blocks of {codes.Count} instructions, "
            + $"{run.CodeEntries} entries of emitted code, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        run.AssertEqual();

        // What the machine does not know is in no block.
        Assert.That(run.NotImplemented.Count == 0, $"not implemented: {string.Join(' ', run.NotImplemented)}");
        Assert.That(run.Executions > 0, "nothing was compared");
        Assert.That(run.CodeEntries, tier == Tier.Machine && !isReplay ? Is.Positive : Is.GreaterThanOrEqualTo(0));
    }

    private static void Round(DifferentialRun run, int states, IReadOnlyList<Code> codes, ulong seed)
    {
        var random = new RandomSource(seed);
        var values = new OperandValues(random);
        var memory = new OperandMemory(random, values);
        run.Placement.Begin(random, MostBytes);
        var generator = new BlockGenerator(random, values, run.Placement, codes);
        generator.Generate(random.Between(10, 40));
        run.Placement.Place();
        memory.Refill();
        var undefined = new UndefinedResults { Flags = generator.UndefinedFlags, StatusWord = generator.UndefinedStatus };
        CpuState state = default;
        for (int i = 0; i < states; i++)
        {
            values.Fill(ref state);
            state.Rip = run.Placement.Start;
            run.ExecuteBlock(in undefined, generator.Count, in state, memory, seed);
        }
    }
}
