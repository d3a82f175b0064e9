using Hyperlight.Kvm.Interop;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>A machine, one slot of memory and one vCPU: the least that KVM needs for a guest.</summary>
internal readonly unsafe struct BareMachine
{
    private BareMachine(int vm, int vcpu)
    {
        Vm = vm;
        Vcpu = vcpu;
    }

    /// <summary>The machine.</summary>
    public int Vm { get; }

    /// <summary>The vCPU.</summary>
    public int Vcpu { get; }

    /// <summary>Creates the machine.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static BareMachine Create(BareKvm kvm)
    {
        int vm = kvm.CreateVm();
        SetSlot(vm, new() { MemorySize = ExitLoopGuest.MemorySize, UserspaceAddr = (ulong)kvm.Memory });
        int vcpu = BareLibC.Ioctl(vm, KvmIoctls.KVM_CREATE_VCPU, 0);
        return new BareMachine(vm, (int)BareKvm.Check(vcpu, nameof(KvmIoctls.KVM_CREATE_VCPU)));
    }

    /// <summary>Fills a slot of the machine, or empties it.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public void SetSlot(KvmUserspaceMemoryRegion slot) => SetSlot(Vm, slot);

    /// <summary>Closes vCPU and machine.</summary>
    public void Close()
    {
        _ = BareLibC.Close(Vcpu);
        _ = BareLibC.Close(Vm);
    }

    private static void SetSlot(int vm, KvmUserspaceMemoryRegion slot)
    {
        int result = BareLibC.Ioctl(vm, KvmIoctls.KVM_SET_USER_MEMORY_REGION, (nint)(&slot));
        BareKvm.Check(result, nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
    }
}
