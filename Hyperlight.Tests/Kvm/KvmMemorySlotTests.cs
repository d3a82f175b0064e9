using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;
using Moq;

namespace Hyperlight.Tests.Kvm;

/// <summary>Mapping and unmapping on a scripted kernel: what reaches the kernel, and how long memory lives.</summary>
internal sealed class KvmMemorySlotTests
{
    private const MemoryFlags ReadWrite = MemoryFlags.Read | MemoryFlags.Write;

    private FakeMachine _fake = null!;
    private IMemoryRegion _region = null!;

    [SetUp]
    public void Create()
    {
        _fake = new FakeMachine();
        _region = _fake.Allocate(4 * GuestPage.Size);
    }

    [TearDown]
    public void Destroy()
    {
        _fake.Dispose();
        _region.Dispose();
        Assert.That(_fake.Kernel.LiveMappings, Is.Zero);
        Assert.That(_fake.Kernel.OpenDescriptors, Is.Zero);
    }

    [TestCase(ReadWrite, 0u)]
    [TestCase(ReadWrite | MemoryFlags.Execute, 0u)]
    [TestCase(MemoryFlags.Read, KvmUserspaceMemoryRegion.KVM_MEM_READONLY)]
    [TestCase(MemoryFlags.Read | MemoryFlags.Execute, KvmUserspaceMemoryRegion.KVM_MEM_READONLY)]
    public void MappingReachesTheKernel(MemoryFlags flags, uint expected)
    {
        _fake.Machine.MapMemory(3, new GuestMapping(0x7000, _region, 0x1000, 0x2000, flags));

        KvmUserspaceMemoryRegion slot = _fake.Vcpu.Machine.Slots[3];
        Assert.That(slot, Is.EqualTo(new KvmUserspaceMemoryRegion
        {
            Slot = 3,
            Flags = expected,
            GuestPhysAddr = 0x7000,
            MemorySize = 0x2000,
            UserspaceAddr = (ulong)_region.Handle.DangerousGetHandle() + 0x1000,
        }));
    }

    [Test]
    public void ManagedMemoryCanBeMapped()
    {
        using ManagedMemoryRegion managed = new(GuestPage.Size);

        _fake.Machine.MapMemory(0, GuestMapping.Whole(0, managed, ReadWrite));
        managed.Write(0, [1, 2, 3]);

        Assert.That(_fake.Vcpu.Machine.Memory(0, 3).ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
    }

    [Test]
    public void RefusalsAskNothingOfTheKernel()
    {
        Mock<IMemoryRegion> foreign = new();
        foreign.Setup(static region => region.Size).Returns(GuestPage.Size);
        foreign.Setup(static region => region.Handle).Returns(new Microsoft.Win32.SafeHandles.SafeFileHandle());
        _fake.Machine.MapMemory(1, GuestMapping.Whole(0, _region, ReadWrite));
        GuestMapping another = GuestMapping.Whole(0x10_0000, _region, ReadWrite);

        int calls = _fake.Count(nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION), () => Assert.Multiple(() =>
        {
            Assert.Throws<InvalidOperationException>(() => _fake.Machine.MapMemory(1, another), "a slot in use");
            Assert.Throws<InvalidOperationException>(() => _fake.Machine.UnmapMemory(2), "a free slot");
            Assert.Throws<ArgumentOutOfRangeException>(() => _fake.Machine.MapMemory(64, another), "a slot beyond KVM's");
            Assert.Throws<ArgumentOutOfRangeException>(() => _fake.Machine.MapMemory(uint.MaxValue, another));
            Assert.Throws<ArgumentException>(() => _fake.Machine.MapMemory(2, another with { GuestAddress = 0x10_0001 }));
            Assert.Throws<ArgumentException>(() => _fake.Machine.MapMemory(2, another with { RegionOffset = 0x1000 }));
            Assert.Throws<ArgumentException>(() => _fake.Machine.MapMemory(2, another with { Size = 0 }));
            Assert.Throws<ArgumentException>(() => _fake.Machine.MapMemory(2, default));
            Assert.Throws<ArgumentException>(() => _fake.Machine.MapMemory(2, another with { Flags = MemoryFlags.None }));
            Assert.Throws<ArgumentException>(() => _fake.Machine.MapMemory(2, another with { Flags = MemoryFlags.Write }));
            Assert.Throws<ArgumentException>(
                () => _fake.Machine.MapMemory(2, GuestMapping.Whole(0x10_0000, foreign.Object, ReadWrite)));
        }));

        Assert.That(calls, Is.Zero);
    }

    [Test]
    public void DisposedRegionIsRefused()
    {
        GuestMapping mapping = GuestMapping.Whole(0, _region, ReadWrite);
        _region.Dispose();

        Assert.Throws<ObjectDisposedException>(() => _fake.Machine.MapMemory(0, mapping));
        Assert.That(_fake.Vcpu.Machine.Slots, Is.Empty);
    }

    [Test]
    public void RefusedMappingLeavesTheSlotFreeAndTheMemoryAlone()
    {
        _fake.Machine.MapMemory(0, GuestMapping.Whole(0, _region, ReadWrite));
        HypervisorException? error = Assert.Throws<HypervisorException>(
            () => _fake.Machine.MapMemory(1, GuestMapping.Whole(0x1000, _region, ReadWrite)));

        _fake.Machine.MapMemory(1, GuestMapping.Whole(0x10_0000, _region, ReadWrite));

        Assert.Multiple(() =>
        {
            Assert.That(error!.Operation, Is.EqualTo("KVM_SET_USER_MEMORY_REGION"));
            Assert.That(error.ErrorCode, Is.EqualTo(Errno.EEXIST));
            Assert.That(_fake.Vcpu.Machine.Slots.Keys, Is.EqualTo(new uint[] { 0, 1 }));
        });
    }

    [Test]
    public void MappedMemoryOutlivesItsRegionUntilItIsUnmapped()
    {
        int others = _fake.Kernel.LiveMappings - 1;
        _fake.Machine.MapMemory(0, GuestMapping.Whole(0, _region, ReadWrite));
        _fake.Machine.MapMemory(1, GuestMapping.Whole(0x10_0000, _region, MemoryFlags.Read));
        _region.Write(0, [9]);

        _region.Dispose();
        Assert.That(_fake.Vcpu.Machine.Memory(0, 1)[0], Is.EqualTo(9));

        _fake.Machine.UnmapMemory(0);
        Assert.That(_fake.Kernel.LiveMappings, Is.EqualTo(others + 1), "the other slot still has it");

        _fake.Machine.UnmapMemory(1);
        Assert.Multiple(() =>
        {
            Assert.That(_fake.Kernel.LiveMappings, Is.EqualTo(others));
            Assert.Throws<ObjectDisposedException>(() => _region.GetSpan(0, 1));
        });
    }

    [Test]
    public void DisposedMachineLetsGoOfAllMemoryAfterTheKernelDid()
    {
        _fake.Machine.MapMemory(0, GuestMapping.Whole(0, _region, ReadWrite));
        _region.Dispose();

        _fake.Machine.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(_fake.Kernel.LiveMappings, Is.Zero);
            Assert.That(_fake.Kernel.Violations, Is.Empty, "memory went before its machine");
        });
    }

    [Test]
    public void DisposedMachineRefusesEverythingButCancel()
    {
        IVirtualMachine machine = _fake.Machine;
        machine.Dispose();
        machine.Dispose();

        Assert.Multiple(() =>
        {
            Assert.Throws<ObjectDisposedException>(() => machine.Run());
            Assert.Throws<ObjectDisposedException>(() => machine.MapMemory(0, GuestMapping.Whole(0, _region, ReadWrite)));
            Assert.Throws<ObjectDisposedException>(() => machine.GetGeneralRegisters());
            Assert.Throws<ObjectDisposedException>(() => machine.SetGeneralRegisters(default));
            Assert.Throws<ObjectDisposedException>(() => machine.GetSpecialRegisters());
            Assert.Throws<ObjectDisposedException>(() => machine.SetSpecialRegisters(default));
            Assert.Throws<ObjectDisposedException>(() => machine.GetFpuRegisters());
            Assert.Throws<ObjectDisposedException>(() => machine.SetFpuRegisters(default));
            Assert.Throws<ObjectDisposedException>(() => machine.GetDebugRegisters());
            Assert.Throws<ObjectDisposedException>(() => machine.SetDebugRegisters(default));
            Assert.Throws<ObjectDisposedException>(() => machine.GetMsrs(new ModelSpecificRegister[1]));
            Assert.Throws<ObjectDisposedException>(() => machine.SetMsrs(new ModelSpecificRegister[1]));
            Assert.Throws<ObjectDisposedException>(() => machine.GetXsave(new byte[4096]));
            Assert.Throws<ObjectDisposedException>(() => machine.SetXsave(new byte[4096]));
            Assert.DoesNotThrow(machine.Cancel);
        });
    }
}
