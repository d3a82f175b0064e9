namespace Hyperlight.Kvm.Interop;

/// <summary>linux/kvm.h: capabilities for KVM_CHECK_EXTENSION, and the interface's version.</summary>
internal static class KvmCapabilities
{
    public const int KVM_API_VERSION = 12;

    public const int KVM_CAP_USER_MEMORY = 3;
    public const int KVM_CAP_EXT_CPUID = 7;
    public const int KVM_CAP_NR_MEMSLOTS = 10;
    public const int KVM_CAP_VCPU_EVENTS = 41;
    public const int KVM_CAP_DEBUGREGS = 50;
    public const int KVM_CAP_XSAVE = 55;
    public const int KVM_CAP_XCRS = 56;
    public const int KVM_CAP_SYNC_REGS = 74;
    public const int KVM_CAP_READONLY_MEM = 81;
    public const int KVM_CAP_IMMEDIATE_EXIT = 136;
    public const int KVM_CAP_X86_MSR_FILTER = 189;
    public const int KVM_CAP_XSAVE2 = 208;
    public const int KVM_CAP_X86_TRIPLE_FAULT_EVENT = 218;

    /// <summary>In the answer for KVM_CAP_SYNC_REGS, and in the run page: the general registers.</summary>
    public const uint KVM_SYNC_X86_REGS = 1;

    /// <summary>Likewise: the special registers.</summary>
    public const uint KVM_SYNC_X86_SREGS = 2;

    /// <summary>Likewise: events that are pending or being delivered.</summary>
    public const uint KVM_SYNC_X86_EVENTS = 4;
}
