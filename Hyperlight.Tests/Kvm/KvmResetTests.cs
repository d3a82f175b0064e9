using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>What KVM is told when a machine is put to another use.</summary>
internal sealed class KvmResetTests
{
    private const uint AllEvents = KvmVcpuEvents.KVM_VCPUEVENT_VALID_NMI_PENDING | KvmVcpuEvents.KVM_VCPUEVENT_VALID_SHADOW
        | KvmVcpuEvents.KVM_VCPUEVENT_VALID_TRIPLE_FAULT;

    private readonly FakeKvmKernel _kernel = new();
    private KvmHypervisor _hypervisor = null!;
    private IVirtualMachine _machine = null!;

    [SetUp]
    public void CreateMachine()
    {
        _hypervisor = new KvmHypervisor(_kernel);
        _machine = _hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
    }

    [TearDown]
    public void DisposeMachine()
    {
        _machine.Dispose();
        _hypervisor.Dispose();
    }

    [Test]
    public void Xcr0_is_read_and_written()
    {
        _machine.SetXcr0(7);

        Assert.That(_kernel.Vcpu.Xcr0, Is.EqualTo(7));
        Assert.That(_machine.GetXcr0(), Is.EqualTo(7));
    }

    [Test]
    public void An_xcr0_that_kvm_refuses_is_a_typed_error() =>
        Assert.That(() => _machine.SetXcr0(2), Throws.TypeOf<HypervisorException>().With.Message.Contains("KVM_SET_XCRS"));

    [Test]
    public void The_list_holds_what_the_vcpu_has_without_clock_and_special_registers() =>
        Assert.That(_machine.GuestWritableMsrs.ToArray(), Is.EqualTo(new uint[] { 0x174, 0xC000_0102 }));

    [Test]
    public void Pending_events_are_discarded_at_the_next_entry()
    {
        _kernel.Vcpu.Events = new KvmVcpuEvents { ExceptionInjected = 1, ExceptionNr = 14, InterruptShadow = 1 };
        int calls = _kernel.Journal.Count;

        _machine.DiscardPendingState();
        Assert.That(_kernel.Journal, Has.Count.EqualTo(calls), "the run page carries it");
        _machine.Run();

        Assert.That(_kernel.Vcpu.Events.ExceptionInjected, Is.Zero);
        Assert.That(_kernel.Vcpu.Events.InterruptShadow, Is.Zero);
        Assert.That(
            _kernel.Vcpu.Events.Flags,
            Is.EqualTo(AllEvents));
    }

    /// <summary>KVM changes DR6 for a pending exception when it is asked for the debug registers, which may be before the next entry.</summary>
    [Test]
    public void Debug_registers_that_are_read_after_a_reset_have_nothing_of_a_discarded_exception()
    {
        _kernel.Vcpu.Events = new KvmVcpuEvents { ExceptionInjected = 1, ExceptionNr = 1 };
        DebugRegisters fresh = new() { Dr6 = 0xFFFF_0FF0, Dr7 = 0x400 };

        _machine.DiscardPendingState();
        _machine.SetDebugRegisters(fresh);

        Assert.That(_machine.GetDebugRegisters(), Is.EqualTo(fresh));
        _kernel.Vcpu.Events.ExceptionInjected = 1;
        _machine.Run();
        Assert.That(_kernel.Vcpu.Events.ExceptionInjected, Is.EqualTo(1), "what comes later stays");
    }

    /// <summary>A cancelled guest may have caused a triple fault that KVM would report at the next entry, which is another tenant's.</summary>
    [Test]
    public void A_pending_triple_fault_is_discarded()
    {
        _kernel.Vcpu.Events = new KvmVcpuEvents { TripleFaultPending = 1 };

        _machine.DiscardPendingState();
        _machine.Run();

        Assert.That(_kernel.Vcpu.Events.TripleFaultPending, Is.Zero);
    }

    [Test]
    public void Where_triple_faults_are_no_event_the_others_are_discarded()
    {
        var kernel = new FakeKvmKernel();
        kernel.Capabilities[KvmCapabilities.KVM_CAP_X86_TRIPLE_FAULT_EVENT] = 0;
        using var hypervisor = new KvmHypervisor(kernel);
        using IVirtualMachine machine = hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        kernel.Vcpu.Events = new KvmVcpuEvents { ExceptionInjected = 1, ExceptionNr = 14 };

        machine.DiscardPendingState();
        machine.Run();

        Assert.That(kernel.Vcpu.Events.ExceptionInjected, Is.Zero);
        Assert.That(kernel.Journal, Has.No.Member("KVM_ENABLE_CAP"));
    }

    /// <summary>Neither with no registers in the run page, nor with general and special ones only.</summary>
    [TestCase(0u)]
    [TestCase(KvmCapabilities.KVM_SYNC_X86_REGS | KvmCapabilities.KVM_SYNC_X86_SREGS)]
    public void Where_the_run_page_does_not_carry_events_they_are_discarded_at_once(uint syncRegs)
    {
        var kernel = new FakeKvmKernel();
        kernel.Capabilities[KvmCapabilities.KVM_CAP_SYNC_REGS] = (int)syncRegs;
        using var hypervisor = new KvmHypervisor(kernel);
        using IVirtualMachine machine = hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        kernel.Vcpu.Events = new KvmVcpuEvents { ExceptionInjected = 1, ExceptionNr = 14, InterruptShadow = 1 };

        machine.DiscardPendingState();

        Assert.That(kernel.Journal[^1], Is.EqualTo("KVM_SET_VCPU_EVENTS"));
        Assert.That(kernel.Vcpu.Events, Is.EqualTo(new KvmVcpuEvents
        {
            Flags = AllEvents,
        }));
        kernel.Vcpu.Events.ExceptionInjected = 1;
        machine.Run();
        Assert.That(kernel.Vcpu.Events.ExceptionInjected, Is.EqualTo(1), "what comes later stays");
    }
}
