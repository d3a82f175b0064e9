using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>Which code predicts the pages of its operands, and by which predictions.</summary>
[TestFixture]
internal sealed class RunningRegionsTests
{
    private const ulong Address = 0x1000;
    private const ulong Data = 0xA000;

    [Test]
    public void A_region_is_to_predict_once_when_it_is_seen_often()
    {
        var running = new RunningRegions();
        Region region = CreateRegion(predicts: false);

        List<int> found = [.. Enumerable.Range(1, 2 * RunningRegions.Enough).Where(_ => running.See(region))];

        Assert.That(found, Is.EqualTo(new[] { RunningRegions.Enough }));
    }

    /// <summary>It stays what it was if there was no memory for that.</summary>
    [Test]
    public void A_region_is_tried_once()
    {
        var running = new RunningRegions();
        Region region = CreateRegion(predicts: false);

        region.Predicting();

        Assert.That(Enumerable.Range(1, 10 * RunningRegions.Among).Where(_ => running.See(region)), Is.Empty);
    }

    [Test]
    public void A_region_that_is_seen_seldom_is_not_to_predict()
    {
        var running = new RunningRegions();
        Region region = CreateRegion(predicts: false);
        Region other = CreateRegion(predicts: true);
        for (int i = 0; i < 10 * RunningRegions.Among; i++)
        {
            bool isTurn = i % (RunningRegions.Among / (RunningRegions.Enough - 2)) == 0;
            Assert.That(running.See(isTurn ? region : other), Is.False);
        }
    }

    [Test]
    public void A_loop_that_runs_long_is_compiled_again_and_then_predicts()
    {
        EmittingHost.Require();
        using LongModeGuest guest = Loop(rounds: 10_000_000);
        var machine = (EmulatorVirtualMachine)guest.Machine;

        Assert.That(machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));

        Assert.That(machine.GetGeneralRegisters().Rdx, Is.EqualTo(10_000_000));
        Assert.That(machine.CompiledToPredict, Is.EqualTo(1));
    }

    /// <summary>The loop is in code, and left to other code, many times, but does not run long.</summary>
    [Test]
    public void A_loop_that_ends_soon_is_compiled_without_predictions()
    {
        EmittingHost.Require();
        using LongModeGuest guest = Loop(rounds: 100_000);
        var machine = (EmulatorVirtualMachine)guest.Machine;

        Assert.That(machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));

        Assert.That((machine.CodeEntries > 0, machine.CompiledToPredict), Is.EqualTo((true, 0L)));
    }

    [Test]
    public void What_ends_soon_but_is_called_often_predicts_too()
    {
        EmittingHost.Require();
        using LongModeGuest guest = Loop(rounds: 100_000);
        var machine = (EmulatorVirtualMachine)guest.Machine;
        for (int i = 0; i < 100; i++)
        {
            guest.Restart();
            Assert.That(machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
        }

        Assert.That(machine.CompiledToPredict, Is.EqualTo(1));
    }

    [Test]
    public void Only_blocks_that_are_to_predict_have_predictions()
    {
        TraceOp place = Place(predicts: false);
        var planner = new PredictionPlanner(0);

        Assert.That((planner.Find(in place), planner.FindStack(in place), planner.Next), Is.EqualTo(((int?)null, (int?)null, 0)));
    }

    [Test]
    public void Regions_predict_their_places_on_the_stack_by_predictions_of_their_own()
    {
        TraceOp place = Place(predicts: true);
        var first = new PredictionPlanner(0);
        int? stack = first.FindStack(in place);
        var second = new PredictionPlanner(first.Next);

        Assert.That(first.Find(in place), Is.EqualTo(stack));
        Assert.That(second.FindStack(in place), Is.Not.EqualTo(stack));
    }

    private static LongModeGuest Loop(uint rounds) => new(
        new EmulatorHypervisor(new EmulatorOptions { Tier = CodeTier.Machine, VerifiesEmittedCode = true }),
        c =>
        {
            Label again = c.CreateLabel();
            c.mov(ecx, rounds);
            c.xor(edx, edx);
            c.mov(rbx, Data);
            c.mov(__qword_ptr[rbx], 1);
            c.Label(ref again);
            c.add(rdx, __qword_ptr[rbx]);
            c.dec(ecx);
            c.jne(again);
            c.hlt();
        });

    private static Region CreateRegion(bool predicts) => Region.Create([Node(predicts)], new Code());

    private static TraceOp Place(bool predicts)
    {
        RegionNode node = Node(predicts);
        return new TraceOp(node, node.Block.Ops, 0);
    }

    private static RegionNode Node(bool predicts)
    {
        byte[] bytes = LinkedGuest.Assemble(Address, static c => c.mov(rax, __qword_ptr[rsp + 8]));
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(bytes));
        decoder.IP = Address;
        Instruction instruction = decoder.Decode();
        var code = new DecodedCode(Address, bytes, [Translator.Translate(in instruction)]) { Predicts = predicts };
        return new RegionNode(new Block(default, code)) { Position = 0 };
    }

    private sealed class Code() : RegionCode(0)
    {
        public override RegionExit Run(RegionRunner runner, Region region, int entry) =>
            throw new InvalidOperationException("The code is not executed.");
    }
}
