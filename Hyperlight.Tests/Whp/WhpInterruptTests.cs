using Hyperlight.Abstractions;
using Hyperlight.Tests.Linux;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>Which functions of the platform an interrupt takes.</summary>
internal sealed class WhpInterruptTests
{
    private const byte Vector = 0x20;

    [SetUp]
    public void NeedsLinux() => RealLinux.Require();

    [Test]
    public void An_interrupt_is_written_by_the_call_of_the_next_entry()
    {
        using WhpMachine machine = new(static code => { code.sti(); code.nop(); code.hlt(); });
        machine.Machine.Run();

        Dictionary<SimulatedFunction, int> calls = machine.Calls(() => Assert.That(Inject(machine), Is.True));

        Assert.That(calls.Keys, Is.EquivalentTo(new[] { SimulatedFunction.WHvGetVirtualProcessorRegisters }));
        Assert.That(Inject(machine), Is.False, "the first is not taken yet");
    }

    [Test]
    public void The_window_is_asked_for_once()
    {
        using WhpMachine machine = new(static code => { code.hlt(); code.sti(); code.nop(); code.hlt(); });
        machine.Machine.Run();

        Assert.That(Inject(machine), Is.False);
        Assert.That(Inject(machine), Is.False);
        Dictionary<SimulatedFunction, int> calls =
            machine.Calls(() => Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.InterruptWindow)));
        Assert.That(calls[SimulatedFunction.WHvSetVirtualProcessorRegisters], Is.EqualTo(1));
    }

    [Test]
    public void A_reset_withdraws_what_waits_to_be_written([Values] bool isOn)
    {
        using WhpMachine machine = new(code =>
        {
            if (isOn)
            {
                code.sti();
                code.nop();
            }

            code.hlt();
            code.sti();
            code.nop();
            code.hlt();
        });
        machine.Machine.Run();
        Assert.That(Inject(machine), Is.EqualTo(isOn));

        machine.Machine.DiscardPendingState();

        Assert.That(machine.Machine.Run().Reason, Is.EqualTo(VmExitReason.Halt));
    }

    [Test]
    public void The_registers_have_the_bits_of_the_header() => Assert.That(
        (WhvPendingInterruption.External(0xAB), WhvInterruptState.InterruptShadow, WhvDeliverabilityNotifications.InterruptNotification),
        Is.EqualTo((0xAB_0001UL, 1UL, 2UL)));

    private static bool Inject(WhpMachine machine) => ((IInterruptInjector)machine.Machine).TryInjectInterrupt(Vector);
}
