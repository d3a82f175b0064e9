using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// What a restore makes of the time-stamp counter, on a simulated kernel that cannot deny the guest to write it: what the
/// guest added to it goes, and the time that has passed stays.
/// </summary>
internal sealed class TimeStampResetTests
{
    private const uint Counter = FakeVcpu.TimeStampCounter;
    private const uint Adjustment = FakeVcpu.TimeStampAdjustment;
    private const ulong Plant = 1UL << 62;

    private FakeKvmKernel _kernel = null!;
    private KvmHypervisor _hypervisor = null!;
    private MultiUseSandbox _sandbox = null!;

    [SetUp]
    public void CreateSandbox()
    {
        _kernel = new FakeKvmKernel { OnRun = FakeGuest.Run };
        _kernel.Capabilities[KvmCapabilities.KVM_CAP_X86_MSR_FILTER] = 0;
        _hypervisor = new KvmHypervisor(_kernel);
        _sandbox = new SandboxBuilder().WithHypervisor(_hypervisor).WithGuest(FakeGuest.Binary).Build();
    }

    [TearDown]
    public void DisposeSandbox()
    {
        _sandbox.Dispose();
        _hypervisor.Dispose();
    }

    [TestCase(Counter)]
    [TestCase(Adjustment)]
    public void A_restore_takes_back_what_the_guest_added(uint register)
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Call("WriteMsr", register, Plant);
        PassTime(1000);
        Assert.That(Now, Is.EqualTo((Plant + 1000, Plant)));

        _sandbox.Restore(snapshot);

        Assert.That(Now, Is.EqualTo((1000UL, 0UL)));
    }

    [Test]
    public void A_restore_resets_a_counter_that_the_guest_set_back()
    {
        PassTime(5000);
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        _sandbox.Call("WriteMsr", Counter, 0UL);
        PassTime(1000);

        _sandbox.Restore(snapshot);

        Assert.That(Now, Is.EqualTo((6000UL, 0UL)));
    }

    /// <summary>KVM ignores what is less than a second from what it expects.</summary>
    [TestCase(1000ul)]
    [TestCase(3 * FakeVcpu.TicksPerSecond)]
    public void A_sandbox_made_from_a_snapshot_does_not_begin_before_it(ulong age)
    {
        PassTime(age);
        using Snapshot snapshot = _sandbox.TakeSnapshot();

        using MultiUseSandbox other = new SandboxBuilder().WithHypervisor(_hypervisor).WithSnapshot(snapshot).Build();

        Assert.That(Now, Is.EqualTo((age, 0UL)), "of the other's machine");
    }

    [Test]
    public void A_restore_of_a_younger_machine_moves_its_counter_once()
    {
        using MultiUseSandbox older = new SandboxBuilder().WithHypervisor(_hypervisor).WithGuest(FakeGuest.Binary).Build();
        PassTime(5000);
        using Snapshot snapshot = older.TakeSnapshot();
        FakeVcpu younger = _kernel.Machines[^2].Vcpu!;

        _sandbox.Restore(snapshot);
        Assert.That(younger.Msrs[Counter], Is.EqualTo(5000));
        younger.Msrs[Counter] += 100;
        int calls = _kernel.Journal.Count;
        _sandbox.Restore(snapshot);

        Assert.That(younger.Msrs[Counter], Is.EqualTo(5100));
        Assert.That(_kernel.Journal.Skip(calls).Count(static c => c == "KVM_GET_MSRS"), Is.EqualTo(1), "as before");
    }

    /// <summary>The adjustment is relative to the counter of one machine, so another can make nothing of it.</summary>
    [Test]
    public void A_snapshot_does_not_carry_the_adjustment()
    {
        _sandbox.Call("WriteMsr", Adjustment, Plant);
        using Snapshot snapshot = _sandbox.TakeSnapshot();

        using MultiUseSandbox other = new SandboxBuilder().WithHypervisor(_hypervisor).WithSnapshot(snapshot).Build();
        Assert.That(Now, Is.EqualTo((0UL, 0UL)), "of the other's machine");

        _sandbox.Restore(snapshot);
        Assert.That(_kernel.Machines[^2].Vcpu!.Msrs[Adjustment], Is.Zero);
        Assert.That(_kernel.Machines[^2].Vcpu!.Msrs[Counter], Is.Zero);
    }

    [Test]
    public void A_guest_that_left_the_registers_alone_costs_no_write()
    {
        using Snapshot snapshot = _sandbox.TakeSnapshot();
        PassTime(1000);
        int calls = _kernel.Journal.Count;

        _sandbox.Restore(snapshot);

        Assert.That(_kernel.Journal.Skip(calls), Has.None.EqualTo("KVM_SET_MSRS"));
        Assert.That(Now, Is.EqualTo((1000UL, 0UL)));
    }

    private (ulong Counter, ulong Adjustment) Now => (_kernel.Vcpu.Msrs[Counter], _kernel.Vcpu.Msrs[Adjustment]);

    private void PassTime(ulong ticks) => _kernel.Vcpu.Msrs[Counter] += ticks;
}
