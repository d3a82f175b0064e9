using System.Runtime.InteropServices;

namespace Hyperlight.Kvm.Interop;

/// <summary>struct kvm_cpuid2 of asm/kvm.h without its entries, which follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmCpuid2
{
    public uint NEnt;
    public uint Padding;
}

/// <summary>struct kvm_cpuid_entry2 of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential, Size = 40)]
internal struct KvmCpuidEntry2
{
    public uint Function;
    public uint Index;
    public uint Flags;
    public uint Eax;
    public uint Ebx;
    public uint Ecx;
    public uint Edx;
}
