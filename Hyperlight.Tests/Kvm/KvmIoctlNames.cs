using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>The names of requests, for journals and failure messages.</summary>
internal static class KvmIoctlNames
{
    public static string Of(uint request) => request switch
    {
        KvmIoctls.KVM_GET_API_VERSION => nameof(KvmIoctls.KVM_GET_API_VERSION),
        KvmIoctls.KVM_CREATE_VM => nameof(KvmIoctls.KVM_CREATE_VM),
        KvmIoctls.KVM_CHECK_EXTENSION => nameof(KvmIoctls.KVM_CHECK_EXTENSION),
        KvmIoctls.KVM_GET_VCPU_MMAP_SIZE => nameof(KvmIoctls.KVM_GET_VCPU_MMAP_SIZE),
        KvmIoctls.KVM_GET_SUPPORTED_CPUID => nameof(KvmIoctls.KVM_GET_SUPPORTED_CPUID),
        KvmIoctls.KVM_CREATE_VCPU => nameof(KvmIoctls.KVM_CREATE_VCPU),
        KvmIoctls.KVM_SET_USER_MEMORY_REGION => nameof(KvmIoctls.KVM_SET_USER_MEMORY_REGION),
        KvmIoctls.KVM_ENABLE_CAP => nameof(KvmIoctls.KVM_ENABLE_CAP),
        KvmIoctls.KVM_X86_SET_MSR_FILTER => nameof(KvmIoctls.KVM_X86_SET_MSR_FILTER),
        KvmIoctls.KVM_RUN => nameof(KvmIoctls.KVM_RUN),
        KvmIoctls.KVM_GET_REGS => nameof(KvmIoctls.KVM_GET_REGS),
        KvmIoctls.KVM_SET_REGS => nameof(KvmIoctls.KVM_SET_REGS),
        KvmIoctls.KVM_GET_SREGS => nameof(KvmIoctls.KVM_GET_SREGS),
        KvmIoctls.KVM_SET_SREGS => nameof(KvmIoctls.KVM_SET_SREGS),
        KvmIoctls.KVM_INTERRUPT => nameof(KvmIoctls.KVM_INTERRUPT),
        KvmIoctls.KVM_GET_MSRS => nameof(KvmIoctls.KVM_GET_MSRS),
        KvmIoctls.KVM_SET_MSRS => nameof(KvmIoctls.KVM_SET_MSRS),
        KvmIoctls.KVM_SET_SIGNAL_MASK => nameof(KvmIoctls.KVM_SET_SIGNAL_MASK),
        KvmIoctls.KVM_SET_CPUID2 => nameof(KvmIoctls.KVM_SET_CPUID2),
        KvmIoctls.KVM_GET_DEBUGREGS => nameof(KvmIoctls.KVM_GET_DEBUGREGS),
        KvmIoctls.KVM_SET_DEBUGREGS => nameof(KvmIoctls.KVM_SET_DEBUGREGS),
        KvmIoctls.KVM_GET_XSAVE => nameof(KvmIoctls.KVM_GET_XSAVE),
        KvmIoctls.KVM_SET_XSAVE => nameof(KvmIoctls.KVM_SET_XSAVE),
        KvmIoctls.KVM_GET_MSR_INDEX_LIST => nameof(KvmIoctls.KVM_GET_MSR_INDEX_LIST),
        KvmIoctls.KVM_SET_VCPU_EVENTS => nameof(KvmIoctls.KVM_SET_VCPU_EVENTS),
        KvmIoctls.KVM_GET_XCRS => nameof(KvmIoctls.KVM_GET_XCRS),
        KvmIoctls.KVM_SET_XCRS => nameof(KvmIoctls.KVM_SET_XCRS),
        KvmIoctls.KVM_GET_XSAVE2 => nameof(KvmIoctls.KVM_GET_XSAVE2),
        _ => $"ioctl 0x{request:X}",
    };
}
