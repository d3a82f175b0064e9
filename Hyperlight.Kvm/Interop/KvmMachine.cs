using System.Runtime.InteropServices;

namespace Hyperlight.Kvm.Interop;

/// <summary>struct kvm_userspace_memory_region of linux/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmUserspaceMemoryRegion
{
    public const uint KVM_MEM_READONLY = 2;

    public uint Slot;
    public uint Flags;
    public ulong GuestPhysAddr;
    public ulong MemorySize;
    public ulong UserspaceAddr;
}

/// <summary>struct kvm_signal_mask of linux/kvm.h with the kernel's 64-bit set.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct KvmSignalMask
{
    public uint Len;
    public ulong Sigset;
}

/// <summary>struct kvm_enable_cap of linux/kvm.h; of its arguments only the first is used.</summary>
[StructLayout(LayoutKind.Sequential, Size = 104)]
internal struct KvmEnableCap
{
    public uint Cap;
    public uint Flags;
    public ulong Enable;
}
