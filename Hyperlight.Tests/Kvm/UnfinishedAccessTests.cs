using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// What a guest left unfinished when it was stopped does not reach what the machine executes next, on the simulated kernel,
/// whose emulator keeps what the real one keeps.
/// </summary>
[TestFixture(true)]
[TestFixture(false)]
internal sealed class UnfinishedAccessTests(bool syncRegs)
{
    private const ulong Fresh = 0x1234_5678_9ABC_DEF0;
    private const ulong Start = 0x2000;
    private static readonly ulong[] Counts = [1, 3, 1025, ulong.MaxValue];

    [Test]
    public void Every_instruction_is_finished_at_its_exit()
    {
        int exits = 0;
        using FakeMachine fake = new(syncRegs);
        Assert.Multiple(() =>
        {
            foreach (FakeInstruction instruction in FakeInstructions.All)
            {
                foreach (ulong count in Counts)
                {
                    exits += LeaveUnfinished(fake, instruction, count) ? 1 : 0;
                }
            }
        });
        Assert.That(exits, Is.GreaterThan(1000), "instructions that end a run");
    }

    [Test]
    public void An_unfinished_out_does_not_move_rip_in_any_code_segment()
    {
        using FakeMachine fake = new(syncRegs);
        fake.Machine.SetSpecialRegisters(new SpecialRegisters { Cs = new SegmentRegister { Base = 0x1000, Attributes = 0x409B } });
        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = Start - 0x1000, Rflags = 2 });
        fake.Run(static vcpu => vcpu.ExitFastOut(1, 2, length: 1));

        Reset(fake.Machine);

        fake.Run(static vcpu => vcpu.ExitHalt());
        Assert.That(fake.Machine.GetGeneralRegisters().Rip, Is.EqualTo(Start));
    }

    [Test]
    public unsafe void What_a_port_gives_is_not_what_was_sent_to_one()
    {
        using FakeMachine fake = new(syncRegs);
        fake.Run(static vcpu => vcpu.ExitIoOut(0x64, 0xDEAD_BEEF));

        fake.Run(static vcpu => vcpu.Emulate(new FakeInstruction(new FakeOperand(FakeAccess.In, IsMmio: false, 4))));

        Assert.That(fake.Vcpu.RunPageBytes.Slice(FakeVcpu.IoDataOffset, 4).ToArray(), Is.All.Zero);
    }

    [Test]
    public void What_no_memory_gives_is_not_what_was_written_to_it()
    {
        using FakeMachine fake = new(syncRegs);
        fake.Run(static vcpu => vcpu.ExitMmio(FakeOperand.MmioAddress, 8, isWrite: true, data: 0xDEAD_BEEF));
        fake.Run(static vcpu => vcpu.ExitHalt());

        fake.Run(static vcpu => vcpu.Emulate(new FakeInstruction(new FakeOperand(FakeAccess.Read, IsMmio: true, 8))));

        Assert.That(fake.Vcpu.LastRead, Is.Zero);
    }

    [Test]
    public unsafe void The_guest_is_entered_again_behind_an_access_that_was_finished()
    {
        using FakeMachine fake = new(syncRegs);

        fake.Run(static vcpu => vcpu.Emulate(new FakeInstruction(new FakeOperand(FakeAccess.Read, IsMmio: true, 8))));

        Assert.That(fake.Vcpu.RunPage->ImmediateExit, Is.Zero);
    }

    [Test]
    public void An_out_that_the_next_run_finished_is_not_finished_again()
    {
        using FakeMachine fake = new(syncRegs);
        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = Start, Rflags = 2 });
        fake.Run(static vcpu => vcpu.ExitIoOut(1, 2));
        fake.Run(static vcpu => vcpu.ExitHalt());
        int runs = fake.Vcpu.Runs;

        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rip = Start, Rflags = 2 });
        fake.Machine.DiscardPendingState();

        Assert.That(fake.Vcpu.Runs, Is.EqualTo(runs));
    }

    /// <summary>The reset finishes it then.</summary>
    [Test]
    public void An_access_that_could_not_be_finished_is_finished_by_a_reset()
    {
        using FakeMachine fake = new(syncRegs);
        fake.Vcpu.EndlessPieces = true;
        Assert.That(() => RunToRead(fake), Throws.TypeOf<HypervisorException>());

        Assert.That(() => Reset(fake.Machine), Throws.TypeOf<HypervisorException>(), "as long as it does not end");
        int entries = 0;
        fake.Kernel.OnRun = vcpu =>
        {
            entries++;
            return vcpu.ExitHalt();
        };
        Assert.That(fake.Machine.Run, Throws.TypeOf<HypervisorException>());
        Assert.That(entries, Is.Zero, "nor does the guest run");
        fake.Vcpu.EndlessPieces = false;
        Reset(fake.Machine);

        AssertClean(fake, "after the reset");
    }

    private static void RunToRead(FakeMachine fake)
    {
        fake.Machine.SetGeneralRegisters(new GeneralRegisters { Rcx = 5, Rip = 0x10, Rflags = 2 });
        fake.Run(static vcpu =>
            vcpu.Emulate(new FakeInstruction(new FakeOperand(FakeAccess.Read, IsMmio: true, 8)) { IsRepeated = true }));
    }

    private static bool LeaveUnfinished(FakeMachine fake, FakeInstruction instruction, ulong count)
    {
        GeneralRegisters before = new() { Rcx = count, Rip = 0x10, Rflags = 2 };
        fake.Machine.SetGeneralRegisters(before);
        string name = $"{instruction}, RCX = {count}";
        VmExit exit;
        try
        {
            exit = fake.Run(vcpu => vcpu.Emulate(instruction));
        }
        catch (HypervisorException exception)
        {
            Assert.Fail($"{name}: {exception.Message}");
            return true;
        }

        if (exit.Reason is VmExitReason.MmioRead or VmExitReason.IoIn)
        {
            Assert.That(fake.Machine.GetGeneralRegisters(), Is.EqualTo(before), $"{name}: registers at the exit");
        }

        Reset(fake.Machine);
        AssertClean(fake, name);
        return exit.Reason != VmExitReason.Halt;
    }

    private static void AssertClean(FakeMachine fake, string name)
    {
        ulong read = 0;
        VmExit exit = fake.Run(vcpu =>
        {
            read = vcpu.EmulateRead(Fresh);
            return vcpu.ExitHalt();
        });
        Assert.That((exit, read), Is.EqualTo((VmExit.Halt, Fresh)), $"{name}: the next read");
        Assert.That(fake.Vcpu.PortCount, Is.Zero, $"{name}: data of a port");
        Assert.That(fake.Machine.GetGeneralRegisters().Rip, Is.EqualTo(Start), $"{name}: RIP");
    }

    /// <summary>In the order of a restore and the call that follows it.</summary>
    private static void Reset(IVirtualMachine machine)
    {
        machine.DiscardPendingState();
        machine.SetSpecialRegisters(new SpecialRegisters { Cs = new SegmentRegister { Attributes = 0x209B } });
        machine.SetGeneralRegisters(new GeneralRegisters { Rip = Start, Rflags = 2 });
    }
}
