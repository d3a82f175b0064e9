using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Kvm;

/// <summary>What machines on the machine's own KVM cost in memory and descriptors, and leave behind.</summary>
internal sealed class GuestFootprintTests
{
    [TestCase(true)]
    [TestCase(false)]
    public void WarmRunAllocatesNothing(bool syncRegs)
    {
        using KvmHypervisor kvm = RealKvm.Open(syncRegs ? null : new WithoutSyncRegs());
        using LongModeGuest guest = NewEndlessOut(kvm);
        RunOften(guest.Machine, 50);

        long before = GC.GetAllocatedBytesForCurrentThread();
        RunOften(guest.Machine, 50);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.That(allocated, Is.Zero);
    }

    [Test]
    public void ManyLivesLeaveNothingBehind()
    {
        using KvmHypervisor kvm = RealKvm.Open();
        Cycle(kvm, 5);
        ProcessResources.CountKvmDescriptorsAfterCollections();
        ProcessResources before = ProcessResources.Count();

        Cycle(kvm, 200);

        // The runtime opens and maps a few of its own meanwhile; one leaked in each life would be hundreds.
        const int Own = 100;
        ProcessResources after = ProcessResources.Count();
        Assert.Multiple(() =>
        {
            Assert.That(after.KvmDescriptors, Is.EqualTo(before.KvmDescriptors));
            Assert.That(after.Descriptors, Is.LessThan(before.Descriptors + Own));
            Assert.That(after.Mappings, Is.LessThan(before.Mappings + Own));
        });
    }

    [Test]
    public void OrderOfDisposalDoesNotMatter([Range(0, 5)] int order)
    {
        int[][] orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        RealKvm.Require();
        int before = ProcessResources.CountKvmDescriptorsAfterCollections();
        KvmHypervisor kvm = RealKvm.Open();
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        IMemoryRegion region = kvm.AllocateMemory(GuestPage.Size);
        machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read | MemoryFlags.Write));
        IDisposable[] all = [kvm, machine, region];

        foreach (int index in orders[order])
        {
            all[index].Dispose();
        }

        Assert.That(ProcessResources.Count().KvmDescriptors, Is.EqualTo(before));
    }

    [Test]
    public void MachineRunsOnAfterItsHypervisorAndRegionWereDisposed()
    {
        KvmHypervisor kvm = RealKvm.Open();
        LongModeGuest guest = NewEndlessOut(kvm);
        kvm.Dispose();
        guest.Memory.Dispose();

        Assert.That(guest.Machine.Run(), Is.EqualTo(VmExit.IoOut(0x64, 1, 4)));
        guest.Machine.Dispose();
    }

    [Test]
    public void ForgottenMachinesAreCollected()
    {
        using KvmHypervisor kvm = RealKvm.Open();
        kvm.Probe();
        int before = ProcessResources.CountKvmDescriptorsAfterCollections();
        Assert.That(Forget(kvm), Is.GreaterThan(before));

        for (int i = 0; i < 20 && ProcessResources.Count().KvmDescriptors > before; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.That(ProcessResources.Count().KvmDescriptors, Is.EqualTo(before));
    }

    /// <returns>How many descriptors of KVM there were before the machine was forgotten.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Forget(KvmHypervisor kvm)
    {
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        machine.MapMemory(0, GuestMapping.Whole(0, kvm.AllocateMemory(GuestPage.Size), MemoryFlags.Read));
        int during = ProcessResources.Count().KvmDescriptors;
        GC.KeepAlive(machine);
        return during;
    }

    private static void Cycle(KvmHypervisor kvm, int times)
    {
        for (int i = 0; i < times; i++)
        {
            using LongModeGuest guest = NewEndlessOut(kvm);
            guest.Machine.Run();
        }
    }

    private static void RunOften(IVirtualMachine machine, int times)
    {
        for (int i = 0; i < times; i++)
        {
            GeneralRegisters registers = machine.GetGeneralRegisters();
            registers.Rbx++;
            machine.SetGeneralRegisters(registers);
            machine.SetFpuRegisters(FpuRegisters.Reset);
            if (machine.Run().Reason != VmExitReason.IoOut)
            {
                Assert.Fail("The guest does nothing but OUT.");
            }
        }
    }

    private static LongModeGuest NewEndlessOut(KvmHypervisor kvm) => new(kvm, static c =>
    {
        Iced.Intel.Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(eax);
        c.@out(0x64, eax);
        c.jmp(again);
    });
}
