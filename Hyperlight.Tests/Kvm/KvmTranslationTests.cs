using Hyperlight.Abstractions;
using Hyperlight.Kvm;

namespace Hyperlight.Tests.Kvm;

/// <summary>What makes KVM drop the translations that it and the processor have cached when a machine is reset.</summary>
internal sealed class KvmTranslationTests
{
    private static readonly SpecialRegisters Reset = new() { Cr3 = 0x1000, Cr4 = 0x620, Efer = 0xD01 };
    private static readonly string[] TwoSlotChanges = ["KVM_SET_USER_MEMORY_REGION", "KVM_SET_USER_MEMORY_REGION"];

    /// <summary>Also with special registers that are not those of the time before, which KVM is told at once.</summary>
    [TestCase(true, 0x1000ul, 1)]
    [TestCase(true, 0x2000ul, 2)]
    [TestCase(false, 0x1000ul, 2)]
    public void Every_reset_drops_them_before_the_guest_is_entered(bool syncRegs, ulong root, int calls)
    {
        using FakeMachine fake = new(syncRegs);
        fake.Machine.SetSpecialRegisters(Reset);
        fake.Run(static vcpu => vcpu.ExitHalt());
        for (int i = 0; i < 3; i++)
        {
            int flushes = fake.Vcpu.Flushes;
            SpecialRegisters next = Reset with { Cr3 = i % 2 == 0 ? root : Reset.Cr3 };

            int made = fake.Count("KVM_SET_SREGS", () => fake.Machine.SetSpecialRegisters(next));
            fake.Run(static vcpu => vcpu.ExitHalt());

            Assert.That(made, Is.EqualTo(calls));
            Assert.That(fake.Vcpu.Flushes, Is.EqualTo(flushes + 1));
            Assert.That((fake.Vcpu.Sregs.Cr3, fake.Vcpu.Sregs.Cr4), Is.EqualTo((next.Cr3, next.Cr4)));
        }
    }

    [Test]
    public void A_guest_that_has_set_what_is_set_meanwhile_does_not_prevent_it([Values(0x620ul, 0x6A0ul)] ulong guests)
    {
        using FakeMachine fake = new();
        fake.Machine.SetSpecialRegisters(Reset);
        fake.Run(vcpu =>
        {
            vcpu.Sregs.Cr4 = guests;
            return vcpu.ExitHalt();
        });
        int flushes = fake.Vcpu.Flushes;

        fake.Machine.SetSpecialRegisters(Reset);
        fake.Run(static vcpu => vcpu.ExitHalt());

        Assert.That(fake.Vcpu.Flushes, Is.EqualTo(flushes + 1));
    }

    [Test]
    public void Before_the_guest_has_run_there_are_none()
    {
        using FakeMachine fake = new();

        Assert.That(fake.Count("KVM_SET_SREGS", () => fake.Machine.SetSpecialRegisters(Reset)), Is.EqualTo(1));
    }

    [Test]
    public void A_kvm_with_nested_paging_keeps_the_slots() => Assert.That(CallsOfReset(new FakeKvmKernel(), probe: true), Has.None.AnyOf(TwoSlotChanges));

    [Test]
    public void On_an_unprobed_kvm_the_slots_are_set_again() =>
        Assert.That(SlotChanges(CallsOfReset(new FakeKvmKernel(), probe: false)), Is.EqualTo(TwoSlotChanges));

    [Test]
    public void On_a_kvm_that_emulates_privileged_code_the_slots_are_set_again() => Assert.That(
        SlotChanges(CallsOfReset(new FakeKvmKernel { OnRun = FakeEmulatingKvm.Run }, probe: true)), Is.EqualTo(TwoSlotChanges));

    /// <summary>It executes what was at the address, after the host has changed the page table.</summary>
    [Test]
    [EndsWithin(60)]
    public void On_a_kvm_with_shadow_page_tables_the_slots_are_set_again() => Assert.That(
        SlotChanges(CallsOfReset(
            new FakeKvmKernel { OnRun = static vcpu => vcpu.Regs.Rip == 0x20_0000 ? vcpu.ExitIoOut(0, 0) : vcpu.ExitHalt() }, probe: true)),
        Is.EqualTo(TwoSlotChanges));

    [Test]
    public void A_slot_that_kvm_does_not_give_back_is_a_typed_error_and_comes_back_before_the_guest_is_entered()
    {
        using FakeMachine fake = new();
        using IMemoryRegion memory = fake.Allocate(0x1000);
        fake.Machine.MapMemory(0, GuestMapping.Whole(0x1000, memory, MemoryFlags.Read | MemoryFlags.Write));
        fake.Run(static vcpu => vcpu.ExitHalt());
        FakeVm vm = fake.Vcpu.Machine;
        vm.RefusedAdditions = 1;

        Assert.That(
            () => fake.Machine.SetSpecialRegisters(Reset),
            Throws.TypeOf<HypervisorException>().With.Message.Contains("KVM_SET_USER_MEMORY_REGION"));
        Assert.That(vm.Slots, Is.Empty);

        Assert.That(fake.Run(static vcpu => vcpu.ExitHalt()), Is.EqualTo(VmExit.Halt));
        Assert.That(vm.Slots, Has.Count.EqualTo(1));
    }

    /// <summary>Of a machine with a slot that the guest can write, and one that it can only read.</summary>
    private static List<string> CallsOfReset(FakeKvmKernel kernel, bool probe)
    {
        using KvmHypervisor kvm = new(kernel);
        if (probe)
        {
            kvm.Probe();
        }

        kernel.OnRun = static vcpu => vcpu.ExitHalt();
        using IMemoryRegion memory = kvm.AllocateMemory(0x1000);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        machine.MapMemory(0, GuestMapping.Whole(0x1000, memory, MemoryFlags.Read | MemoryFlags.Write));
        machine.MapMemory(1, GuestMapping.Whole(0x2000, memory, MemoryFlags.Read));
        machine.Run();
        int before = kernel.Journal.Count;
        machine.SetSpecialRegisters(Reset);
        Assert.That(kernel.Vcpu.Machine.Slots, Has.Count.EqualTo(2));
        return [.. kernel.Journal.Skip(before)];
    }

    private static IEnumerable<string> SlotChanges(List<string> calls) => calls.Where(TwoSlotChanges.Contains);
}
