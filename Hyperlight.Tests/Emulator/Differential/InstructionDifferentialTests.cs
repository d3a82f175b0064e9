using System.Diagnostics;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>Every instruction, alone, with random operands: the processor of this machine says what is right.</summary>
[TestFixture, NonParallelizable]
internal sealed class InstructionDifferentialTests
{
    private const int LongestInstruction = 15;

    /// <summary>States for each choice of instructions: more where each is compiled, which takes most of the time.</summary>
    private const int InterpretedStates = 8;
    private const int CompiledStates = 24;

    private const int NormalExecutions = 130_000;
    private const int NormalCompiledExecutions = 60_000;
    private const int LongExecutions = 12_000_000;

    [Test]
    public void Instructions_do_what_the_processor_does([Values] Tier tier)
    {
        NativeProcessor.Require();
        ulong seed = TestSettings.ChooseSeed(out bool isReplay);
        long wanted = TestSettings.Count ?? (isReplay ? 1 : TestSettings.IsLong ? LongExecutions
            : tier != Tier.Interpreter ? NormalCompiledExecutions : NormalExecutions);
        IReadOnlyList<Code> codes = TestedInstructions.All;
        long start = Stopwatch.GetTimestamp();
        using var run = new DifferentialRun(tier);
        var rounds = new Rounds(run, tier != Tier.Interpreter ? CompiledStates : InterpretedStates);
        for (long executions = 0; executions < wanted; seed++)
        {
            executions += rounds.Execute(codes[(int)(seed % (ulong)codes.Count)], seed);
        }

        TestContext.Out.WriteLine(
            $"{tier}: {run.Executions} executions of {run.Executed.Count} of {codes.Count} instructions and {run.DivideErrors} #DE, "
            + $"{run.CodeEntries} entries of emitted code, {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        TestContext.Out.WriteLine($"{run.NotImplemented.Count} not implemented: {string.Join(' ', run.NotImplemented)}");
        run.AssertEqual();

        // What the machine does not know is not compared.
        Assert.That(run.NotImplemented.Count == 0, $"not implemented: {string.Join(' ', run.NotImplemented)}");
        Assert.That(isReplay || run.Executions > 0, "nothing was compared");
        Assert.That(run.CodeEntries, tier == Tier.Machine && !isReplay ? Is.Positive : Is.GreaterThanOrEqualTo(0));
    }

    /// <summary>Executes an instruction with one choice of operands and several states: what a seed stands for.</summary>
    private sealed class Rounds
    {
        private readonly DifferentialRun _run;
        private readonly int _states;
        private readonly RandomSource _random = new(0);
        private readonly OperandValues _values;
        private readonly InstructionGenerator _generator;
        private readonly OperandMemory _memory;
        private readonly Candidate _candidate = new();
        private readonly Encoder _encoder;

        public Rounds(DifferentialRun run, int states)
        {
            _run = run;
            _states = states;
            _values = new OperandValues(_random);
            _generator = new InstructionGenerator(_random, _values);
            _memory = new OperandMemory(_random, _values);
            _encoder = Encoder.Create(64, run.Placement);
        }

        public int Execute(Code code, ulong seed)
        {
            _random.Restart(seed);
            _run.Placement.Begin(_random, 2 * LongestInstruction);
            if (!_generator.TryGenerate(code, _run.Placement.Start, _candidate))
            {
                return 1;
            }

            _encoder.Encode(in _candidate.Instruction, _run.Placement.Start);
            _run.Placement.Place();
            _memory.Refill();
            CpuState state = default;
            for (int i = 0; i < _states; i++)
            {
                _values.Fill(ref state);
                _candidate.Apply(ref state);
                state.Rip = _run.Placement.Start;
                _memory.Prepare(in _candidate.Instruction, _candidate.OperandAddress, in state);
                _run.Execute(in _candidate.Instruction, _candidate.OperandAddress, in state, _memory, seed);
            }

            return _states;
        }
    }
}
