using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>What KVM is told to interrupt a guest: an interrupt that it cannot take would fail the next entry.</summary>
internal sealed class KvmInterruptTests
{
    private const byte Vector = 0x20;
    private const ulong InterruptsOn = 0x202;

    private readonly FakeKvmKernel _kernel = new();
    private KvmHypervisor _hypervisor = null!;
    private IVirtualMachine _machine = null!;

    private IInterruptInjector Injector => (IInterruptInjector)_machine;

    private unsafe byte WindowRequested => _kernel.Vcpu.RunPage->RequestInterruptWindow;

    [SetUp]
    public void CreateMachine()
    {
        _hypervisor = new KvmHypervisor(_kernel);
        _machine = _hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        _kernel.OnRun = static vcpu => vcpu.ExitHalt();
    }

    [TearDown]
    public void DisposeMachine()
    {
        _machine.Dispose();
        _hypervisor.Dispose();
        Assert.That(_kernel.Violations, Is.Empty);
    }

    [Test]
    public void A_guest_with_interrupts_on_is_interrupted_by_one_request()
    {
        RunWith(InterruptsOn);
        int calls = _kernel.Journal.Count;

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.True);

        Assert.That(_kernel.Journal.Skip(calls), Is.EqualTo(new[] { "KVM_INTERRUPT" }));
        Assert.That(Taken(), Is.EqualTo(Vector));
        Assert.That(Taken(), Is.Null, "once");
    }

    [Test]
    public void A_guest_with_interrupts_off_exits_when_it_turns_them_on()
    {
        RunWith(2);
        int calls = _kernel.Journal.Count;

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False);
        Assert.That(_kernel.Journal, Has.Count.EqualTo(calls), "the run page carries it");
        Assert.That(Taken(), Is.Null);
        _kernel.Vcpu.Regs.Rflags = InterruptsOn;
        Assert.That(_machine.Run().Reason, Is.EqualTo(VmExitReason.InterruptWindow));
        Assert.That(WindowRequested, Is.Zero);
        Assert.That(Injector.TryInjectInterrupt(Vector), Is.True);
        Assert.That(Taken(), Is.EqualTo(Vector));
    }

    [Test]
    public void An_interrupt_shadow_holds_it_back()
    {
        _kernel.OnRun = static vcpu =>
        {
            (vcpu.Regs.Rflags, vcpu.Events.InterruptShadow) = (InterruptsOn, 1);
            return vcpu.ExitIoOut(1, 1);
        };
        _machine.Run();

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False);
    }

    /// <summary>What KVM said at the exit is not true of other registers.</summary>
    [Test]
    public void After_other_registers_were_set_the_window_is_waited_for()
    {
        RunWith(InterruptsOn);
        _machine.SetGeneralRegisters(new GeneralRegisters { Rflags = 2 });

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.False);
    }

    [Test]
    public void A_second_interrupt_waits_for_the_first()
    {
        RunWith(InterruptsOn);

        Assert.That(Injector.TryInjectInterrupt(Vector), Is.True);
        Assert.That(Injector.TryInjectInterrupt(Vector + 1), Is.False);
        Assert.That(_machine.Run().Reason, Is.Not.EqualTo(VmExitReason.InterruptWindow), "the first is not taken yet");
    }

    [Test]
    public void Discarding_what_is_pending_withdraws_the_interrupt_and_the_request_for_the_window()
    {
        RunWith(InterruptsOn);
        Injector.TryInjectInterrupt(Vector);
        _machine.DiscardPendingState();
        Assert.That(Taken(), Is.Null);

        RunWith(2);
        Injector.TryInjectInterrupt(Vector);
        _machine.DiscardPendingState();
        Assert.That(WindowRequested, Is.Zero);
    }

    [Test]
    public void A_machine_that_is_disposed_is_not_interrupted()
    {
        RunWith(InterruptsOn);
        _machine.Dispose();

        Assert.That(() => Injector.TryInjectInterrupt(Vector), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public unsafe void The_structures_are_those_of_the_header() =>
        Assert.That(
            (sizeof(KvmInterrupt), KvmIoctls.KVM_INTERRUPT, KvmRun.KVM_EXIT_IRQ_WINDOW_OPEN), Is.EqualTo((4, 0x4004AE86u, 7u)));

    private void RunWith(ulong flags)
    {
        _kernel.Vcpu.Regs.Rflags = flags;
        _machine.SetGeneralRegisters(new GeneralRegisters { Rflags = flags });
        _machine.Run();
    }

    /// <summary>The vector that the guest takes when it runs.</summary>
    private byte? Taken()
    {
        byte? taken = null;
        _kernel.OnRun = vcpu =>
        {
            taken = vcpu.TakeInterrupt();
            return vcpu.ExitHalt();
        };
        _machine.Run();
        return taken;
    }
}
