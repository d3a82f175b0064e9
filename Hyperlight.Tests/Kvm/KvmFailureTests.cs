using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// A machine's whole life with each kernel call failing in turn: a typed error names the call, and nothing is left behind.
/// </summary>
internal sealed class KvmFailureTests
{
    private const string FilePath = "/file";

    [TestCase(true)]
    [TestCase(false)]
    public void EachCallFailsInTurnOnTheSimulatedKernel(bool syncRegs)
    {
        int failures = 0;
        while (true)
        {
            FakeKvmKernel fake = NewFake(syncRegs);
            FailingKernel kernel = new(fake, ++failures);

            LiveAndCheck(kernel, FilePath);

            Assert.Multiple(() =>
            {
                Assert.That(fake.OpenDescriptors, Is.Zero, $"descriptors after {kernel.FailedCall}");
                Assert.That(fake.LiveMappings, Is.Zero, $"mappings after {kernel.FailedCall}");
                Assert.That(fake.Violations, Is.Empty, $"after {kernel.FailedCall}");
            });
            if (kernel.FailedCall is null)
            {
                break;
            }
        }

        Assert.That(failures, Is.GreaterThan(35), "the life of a machine has more calls than that");
    }

    [TestCase(true)]
    [TestCase(false)]
    public void EachCallFailsInTurnOnTheRealKernel(bool syncRegs)
    {
        RealKvm.Require();
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, new byte[100]);
            int failures = 0;
            int before = ProcessResources.CountKvmDescriptorsAfterCollections();
            while (true)
            {
                FailingKernel kernel = new(syncRegs ? LinuxKernel.Instance : new WithoutSyncRegs(), ++failures);
                LiveAndCheck(kernel, path);
                if (kernel.FailedCall is null)
                {
                    break;
                }
            }

            // The runtime opens and maps files of its own meanwhile: only what is certainly ours is counted.
            Assert.Multiple(() =>
            {
                Assert.That(failures, Is.GreaterThan(35));
                Assert.That(ProcessResources.Count().KvmDescriptors, Is.EqualTo(before));
                Assert.That(
                    Directory.GetFiles("/proc/self/fd").Select(static fd => new FileInfo(fd).LinkTarget), Has.None.EqualTo(path));
                Assert.That(File.ReadAllLines("/proc/self/maps"), Has.None.EndsWith(path));
            });
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Test]
    public void FirstOfSeveralFailedReleasesIsReported()
    {
        FakeKvmKernel fake = new();
        ReleasesFail kernel = new(fake);
        KvmHypervisor kvm = new(kernel);
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());

        HypervisorException? error = Assert.Throws<HypervisorException>(machine.Dispose);

        Assert.Multiple(() =>
        {
            Assert.That(error!.Operation, Is.EqualTo("munmap"), "the run page goes first");
            Assert.That(fake.OpenDescriptors, Is.EqualTo(1), "vCPU and machine are closed nevertheless");
            Assert.That(fake.LiveMappings, Is.Zero);
            Assert.DoesNotThrow(machine.Dispose, "it is reported once");
            Assert.That(Assert.Throws<HypervisorException>(kvm.Dispose)!.Operation, Is.EqualTo("close"));
            Assert.That(fake.OpenDescriptors, Is.Zero);
        });
    }

    [Test]
    public void MachineReportsMemoryThatItReleasedLast()
    {
        FakeKvmKernel fake = new();
        ReleasesFail kernel = new(fake) { OnlyOfLength = 3 * GuestPage.Size };
        using KvmHypervisor kvm = new(kernel);
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        IMemoryRegion region = kvm.AllocateMemory(GuestPage.Size);
        machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read));

        Assert.DoesNotThrow(region.Dispose, "the machine still has the memory");
        Assert.DoesNotThrow(() => machine.UnmapMemory(0), "an exception would say that the mapping is still there");
        Assert.Throws<InvalidOperationException>(() => machine.UnmapMemory(0), "the slot is free");

        kernel.OnlyOfLength = 0;
        Assert.That(Assert.Throws<HypervisorException>(machine.Dispose)!.Operation, Is.EqualTo("munmap"));
    }

    [Test]
    public void MachineReportsMemoryThatItReleasesWithItself()
    {
        FakeKvmKernel fake = new();

        // Two pages and two that guard them: as many as nothing else of a machine has.
        ReleasesFail kernel = new(fake) { OnlyOfLength = 4 * GuestPage.Size };
        using KvmHypervisor kvm = new(kernel);
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        IMemoryRegion region = kvm.AllocateMemory(2 * GuestPage.Size);
        machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read));
        region.Dispose();

        Assert.That(Assert.Throws<HypervisorException>(machine.Dispose)!.Operation, Is.EqualTo("munmap"));
        Assert.DoesNotThrow(machine.Dispose, "it is reported once");
        kernel.OnlyOfLength = 0;
    }

    [Test]
    public void RefusedUnmappingLeavesTheMapping()
    {
        FakeKvmKernel fake = new();
        using KvmHypervisor counting = new(fake);
        using IVirtualMachine machine = counting.CreateVirtualMachine(new VirtualMachineOptions());
        using IMemoryRegion region = counting.AllocateMemory(GuestPage.Size);
        machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read));
        KvmUserspaceMemoryRegion slot = fake.Vcpu.Machine.Slots[0];
        fake.Vcpu.Machine.Slots.Clear();

        HypervisorException? error = Assert.Throws<HypervisorException>(() => machine.UnmapMemory(0));
        fake.Vcpu.Machine.Slots.Add(0, slot);

        Assert.That(error!.Operation, Is.EqualTo("KVM_SET_USER_MEMORY_REGION"));
        Assert.DoesNotThrow(() => machine.UnmapMemory(0), "the driver still knows the mapping");
    }

    private static FakeKvmKernel NewFake(bool syncRegs)
    {
        FakeKvmKernel fake = new();
        fake.Capabilities[KvmCapabilities.KVM_CAP_SYNC_REGS] = syncRegs ? 7 : 0;
        fake.Files.Add(FilePath, new FakeFile(new byte[100]));
        return fake;
    }

    /// <summary>Lives a machine's life, and checks that a failed call is reported, by an exception or by the probe.</summary>
    private static void LiveAndCheck(FailingKernel kernel, string path)
    {
        try
        {
            Live(kernel, path);
        }
        catch (HypervisorNotAvailableException error)
        {
            Assert.That(error.Message, Does.Contain(kernel.FailedCall).And.Contain("EIO"));
            return;
        }
        catch (HypervisorException error)
        {
            Assert.Multiple(() =>
            {
                Assert.That(kernel.FailedCall, Is.Not.Null, error.Message);
                Assert.That(error.Operation, Does.Contain(kernel.FailedCall));
                Assert.That(error.ErrorCode, Is.EqualTo(Errno.EIO));
            });
            return;
        }

        Assert.That(kernel.FailedCall, Is.Null, "the failure was not reported");
    }

    private static void Live(FailingKernel kernel, string path)
    {
        using KvmHypervisor kvm = new(kernel);
        using IMemoryRegion region = kvm.AllocateMemory(GuestPage.Size);
        PrepareAndDispose(kvm, path);
        using IPreparedMapping prepared = kvm.PrepareFileMapping(path, 0x20_0000);
        using IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        machine.MapMemory(0, GuestMapping.Whole(0, region, MemoryFlags.Read | MemoryFlags.Write));
        machine.MapMemory(2, prepared.ToGuestMapping());
        using IMemoryRegion file = prepared.Consume();
        file.Read(0, new byte[10]);
        region.Write(0, [0xF4]);
        SpecialRegisters special = machine.GetSpecialRegisters();
        special.Cs = special.Cs with { Base = 0, Selector = 0 };
        machine.SetSpecialRegisters(special);
        GeneralRegisters general = machine.GetGeneralRegisters();
        general.Rip = 0;
        machine.SetGeneralRegisters(general);
        machine.SetDebugRegisters(machine.GetDebugRegisters());
        machine.SetFpuRegisters(machine.GetFpuRegisters());
        ModelSpecificRegister[] msrs = [new(0xC000_0100)];
        machine.GetMsrs(msrs);
        machine.SetMsrs(msrs);
        Assert.That(machine.Run(), Is.EqualTo(VmExit.Halt));
        _ = machine.GetGeneralRegisters();
        machine.UnmapMemory(2);
    }

    /// <summary>Disposing a prepared mapping never throws: it says afterwards what went wrong.</summary>
    private static void PrepareAndDispose(KvmHypervisor kvm, string path)
    {
        IPreparedMapping unused = kvm.PrepareFileMapping(path, 0x10_0000);
        Assert.DoesNotThrow(unused.Dispose);
        if (unused.CleanupFailure is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>Carries out every release, or those of mappings of one length, and reports them as failed.</summary>
    private sealed class ReleasesFail(ILinuxKernel inner) : ForwardingKernel(inner)
    {
        public nuint? OnlyOfLength { get; set; }

        public override int Close(int fd)
        {
            int result = base.Close(fd);
            return OnlyOfLength is null ? -Errno.EIO : result;
        }

        public override int UnmapMemory(nint address, nuint length)
        {
            int result = base.UnmapMemory(address, length);
            return OnlyOfLength is null || OnlyOfLength == length ? -Errno.EIO : result;
        }
    }
}
