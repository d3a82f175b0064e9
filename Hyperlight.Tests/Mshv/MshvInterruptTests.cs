using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>Which hypercalls an interrupt takes.</summary>
internal sealed class MshvInterruptTests
{
    private const string Get = "HVCALL_GET_VP_REGISTERS";
    private const string Set = "HVCALL_SET_VP_REGISTERS";
    private const byte Vector = 0x20;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void An_interrupt_takes_a_look_at_the_state_and_a_write()
    {
        using var machine = new SimulatedMachine(static code => { code.sti(); code.nop(); code.hlt(); });
        machine.Machine.Run();

        Assert.That(machine.Requests(() => Assert.That(Inject(machine), Is.True)), Is.EqualTo(new[] { Get, Set }));
    }

    [Test]
    public void The_window_is_asked_for_once()
    {
        using var machine = new SimulatedMachine(static code => { code.hlt(); code.sti(); code.nop(); code.hlt(); });
        machine.Machine.Run();

        Assert.That(machine.Requests(() => Assert.That(Inject(machine), Is.False)), Is.EqualTo(new[] { Get, Set }));
        Assert.That(machine.Requests(() => Assert.That(Inject(machine), Is.False)), Is.EqualTo(new[] { Get, Get }));
        Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.InterruptWindow));
    }

    [Test]
    public void A_reset_takes_the_request_back_and_only_then_writes_its_register()
    {
        using var machine = new SimulatedMachine(static code => { code.hlt(); code.sti(); code.nop(); code.hlt(); });
        machine.Machine.Run();
        Assert.That(machine.Requests(machine.Machine.DiscardPendingState), Is.EqualTo(new[] { Set }));
        Inject(machine);

        Assert.That(machine.Requests(machine.Machine.DiscardPendingState), Is.EqualTo(new[] { Set, Set }));
        Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    [Test]
    public void A_halted_guest_is_interrupted_although_the_shadow_of_STI_is_still_reported()
    {
        using var machine = new SimulatedMachine(static code => { code.sti(); code.hlt(); code.@out(1, Iced.Intel.AssemblerRegisters.al); });
        machine.Machine.Run();
        Dictionary<uint, ulong> stored = machine.Kernel.LastPartition!.Processor!.Stored;
        stored[SimulatedRegisters.InterruptState] = 1;

        Assert.That(Inject(machine), Is.True);

        Assert.That(stored[SimulatedRegisters.InterruptState], Is.Zero, "an interrupt in a shadow fails the entry");
    }

    [Test]
    public void The_registers_have_the_bits_of_the_header() => Assert.That(
        (HvPendingInterruption.External(0xAB), HvInterruptState.InterruptShadow, HvDeliverabilityNotifications.InterruptNotification),
        Is.EqualTo((0xAB_0001UL, 1UL, 2UL)));

    private static bool Inject(SimulatedMachine machine) => ((IInterruptInjector)machine.Machine).TryInjectInterrupt(Vector);
}
