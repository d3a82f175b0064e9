using Hyperlight.Kvm.Interop;

namespace Hyperlight.Benchmarks.Machines;

/// <summary>A machine, one slot of memory and one vCPU: the least that KVM needs for a guest.</summary>
internal readonly unsafe struct BareMachine
{
    private readonly int _vm;

    private BareMachine(int vm, int vcpu)
    {
        _vm = vm;
        Vcpu = vcpu;
    }

    /// <summary>The vCPU.</summary>
    public int Vcpu { get; }

    /// <summary>Creates the machine.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static BareMachine Create(BareKvm kvm)
    {
        int vm = kvm.CreateVm();
        KvmUserspaceMemoryRegion slot = new() { MemorySize = ExitLoopGuest.MemorySize, UserspaceAddr = (ulong)kvm.Memory };
        int result = BareLibC.Ioctl(vm, KvmIoctls.KVM_SET_USER_MEMORY_REGION, (nint)(&slot));
        BareKvm.Check(result, nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION));
        int vcpu = BareLibC.Ioctl(vm, KvmIoctls.KVM_CREATE_VCPU, 0);
        return new BareMachine(vm, (int)BareKvm.Check(vcpu, nameof(KvmIoctls.KVM_CREATE_VCPU)));
    }

    /// <summary>Closes vCPU and machine.</summary>
    public void Close()
    {
        _ = BareLibC.Close(Vcpu);
        _ = BareLibC.Close(_vm);
    }
}
