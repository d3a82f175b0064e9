using Hyperlight.Abstractions;
using Hyperlight.Host.Snapshots;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>What a restore writes to the registers of a vCPU, and what a snapshot keeps of them.</summary>
[TestFixture]
internal sealed class ProcessorResetTests
{
    private const uint Adjustment = 0x3B;
    private const uint First = 0xC000_0102;
    private const uint Second = 0xC000_0103;
    private const ulong PageTables = 0x7000;

    private static readonly ProcessorState Empty = new(0x1000, 0x2000, default, Xcr0: null, []);

    [Test]
    public void Page_tables_are_where_the_image_says_and_not_where_the_state_does()
    {
        var machine = new RegisterMachine();

        Reset(machine).Apply(Empty with { Special = new SpecialRegisters { Cr3 = 0x9000, Cr2 = 5 } }, PageTables);

        Assert.That(machine.GetSpecialRegisters(), Is.EqualTo(new SpecialRegisters { Cr3 = PageTables, Cr2 = 5 }));
    }

    [Test]
    public void A_register_that_only_another_snapshot_has_gets_the_value_of_a_new_machine()
    {
        var machine = new RegisterMachine(First, Second);
        machine[First] = 1;
        ProcessorReset reset = Reset(machine);

        reset.Apply(With(new ModelSpecificRegister(First, 7)), PageTables);
        Assert.That((machine[First], machine[Second]), Is.EqualTo((7UL, 0UL)));
        reset.Apply(With(new ModelSpecificRegister(Second, 8)), PageTables);
        Assert.That((machine[First], machine[Second]), Is.EqualTo((1UL, 8UL)));
        reset.Apply(Empty, PageTables);
        Assert.That((machine[First], machine[Second]), Is.EqualTo((1UL, 0UL)));
    }

    [Test]
    public void A_state_that_was_refused_is_refused_again()
    {
        ProcessorReset reset = Reset(new RegisterMachine(First));
        ProcessorState foreign = With(new ModelSpecificRegister(First, 7), new ModelSpecificRegister(Second, 7));

        Assert.That(() => reset.Prepare(foreign), Throws.TypeOf<SnapshotMismatchException>());
        Assert.That(() => reset.Prepare(foreign), Throws.TypeOf<SnapshotMismatchException>());
        Assert.That(() => reset.Apply(foreign, PageTables), Throws.TypeOf<SnapshotMismatchException>());
    }

    [Test]
    public void A_state_that_was_refused_leaves_nothing_in_the_next_one()
    {
        var machine = new RegisterMachine(First);
        ProcessorReset reset = Reset(machine);
        ProcessorState accepted = With(new ModelSpecificRegister(First, 3));
        reset.Apply(accepted, PageTables);
        Assert.That(
            () => reset.Prepare(With(new ModelSpecificRegister(First, 7), new ModelSpecificRegister(Second, 7))),
            Throws.TypeOf<SnapshotMismatchException>());

        machine[First] = 9;
        reset.Apply(accepted, PageTables);

        Assert.That(machine[First], Is.EqualTo(3));
    }

    [Test]
    public void A_register_that_does_not_take_its_value_is_an_error()
    {
        var machine = new RegisterMachine(First, Second);
        ProcessorReset reset = Reset(machine);
        machine.Sticky.Add(Second);
        machine[Second] = 0x10;

        Assert.That(
            () => reset.Apply(Empty, PageTables),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("0xC0000103").And.Message.Contains("0x10"));
    }

    [Test]
    public void A_snapshot_keeps_what_differs_from_a_new_machine_and_what_the_application_names()
    {
        var machine = new RegisterMachine(Adjustment, First, Second, 0x1A0);
        var reset = new ProcessorReset("mock", machine, MsrPolicy.Default.With(0x1A0));
        machine[Adjustment] = 500;
        machine[Second] = 5;

        ProcessorState state = reset.Capture(1, 2);

        Assert.That(
            state.Msrs,
            Is.EqualTo(new[] { new ModelSpecificRegister(Second, 5), new ModelSpecificRegister(0x1A0, 0) }),
            "the adjustment of the time-stamp counter is the machine's");
    }

    [Test]
    public void A_snapshot_after_a_restore_keeps_whichever_register_the_guest_has_changed()
    {
        var machine = new RegisterMachine(First, Second);
        ProcessorReset reset = Reset(machine);
        machine[Second] = 5;
        reset.Apply(Empty, PageTables);

        machine[First] = 7;

        Assert.That(reset.Capture(1, 2).Msrs, Is.EqualTo(new[] { new ModelSpecificRegister(First, 7) }));
    }

    [TestCase(100UL, 1000UL, 1000UL, Description = "never below")]
    [TestCase(1001UL, 1000UL, 1001UL, Description = "never back")]
    [TestCase(1000UL, 1000UL, 1000UL)]
    public void The_counter_is_not_below_that_of_the_snapshot(ulong counter, ulong ofState, ulong expected)
    {
        var machine = new RegisterMachine(First) { Counter = counter };

        Reset(machine).Apply(Empty with { TimeStamp = ofState }, PageTables);

        Assert.That(machine.Counter, Is.EqualTo(expected));
        Assert.That(machine.CounterWrites, Is.EqualTo(counter == expected ? 0 : 1));
    }

    [Test]
    public void The_counter_is_looked_at_once_for_each_state()
    {
        var machine = new RegisterMachine(First);
        ProcessorReset reset = Reset(machine);
        ProcessorState state = Empty with { TimeStamp = 1000 };
        for (int i = 0; i < 3; i++)
        {
            reset.Apply(state, PageTables);
        }

        Assert.That((machine.CounterReads, machine.CounterWrites), Is.EqualTo((1, 1)));
        reset.Apply(Empty with { TimeStamp = 5000 }, PageTables);
        Assert.That(machine.Counter, Is.EqualTo(5000));
    }

    [Test]
    public void What_a_guest_has_added_to_the_counter_is_not_in_a_snapshot()
    {
        var machine = new RegisterMachine(Adjustment, First);
        machine[Adjustment] = 20;
        ProcessorReset reset = Reset(machine);
        machine[Adjustment] = 520;
        machine.Counter = 10_500;

        Assert.That(reset.Capture(1, 2).TimeStamp, Is.EqualTo(10_000));
    }

    [Test]
    public void A_counter_that_begins_again_is_that_of_the_snapshot_after_each_restore()
    {
        var machine = new RestartedMachine();
        ProcessorReset reset = Reset(machine);
        ProcessorState early = Empty with { TimeStamp = 1000 };
        ProcessorState late = Empty with { TimeStamp = 5000 };
        foreach (ProcessorState state in new[] { early, early, late, early, late, late })
        {
            machine.Counter += 123_456;
            reset.Apply(state, PageTables);
            Assert.That(machine.Counter, Is.EqualTo(state.TimeStamp));
        }
    }

    private static ProcessorReset Reset(RegisterMachine machine) => new("mock", machine, MsrPolicy.Default);

    private static ProcessorState With(params ModelSpecificRegister[] registers) => Empty with { Msrs = registers };

    /// <summary>A machine with a seed: its counter counts instructions, and begins again with each restore.</summary>
    private sealed class RestartedMachine() : RegisterMachine(First), IInstructionCounter
    {
        public bool IsTimeSource => true;

        public long InstructionCount => 0;

        public long InstructionBudget { get; set; } = long.MaxValue;

        /// <summary>To what was written last, as where the adjustment is kept.</summary>
        public override void DiscardPendingState() => Counter = 77;
    }
}
