using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Kvm.Interop;

/// <summary>struct kvm_regs of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmRegs
{
    public ulong Rax;
    public ulong Rbx;
    public ulong Rcx;
    public ulong Rdx;
    public ulong Rsi;
    public ulong Rdi;
    public ulong Rsp;
    public ulong Rbp;
    public ulong R8;
    public ulong R9;
    public ulong R10;
    public ulong R11;
    public ulong R12;
    public ulong R13;
    public ulong R14;
    public ulong R15;
    public ulong Rip;
    public ulong Rflags;
}

/// <summary>struct kvm_segment of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmSegment
{
    public ulong Base;
    public uint Limit;
    public ushort Selector;
    public byte Type;
    public byte Present;
    public byte Dpl;
    public byte Db;
    public byte S;
    public byte L;
    public byte G;
    public byte Avl;
    public byte Unusable;
    public byte Padding;
}

/// <summary>struct kvm_dtable of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct KvmDtable
{
    public ulong Base;
    public ushort Limit;
}

/// <summary>struct kvm_sregs of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmSregs
{
    public KvmSegment Cs;
    public KvmSegment Ds;
    public KvmSegment Es;
    public KvmSegment Fs;
    public KvmSegment Gs;
    public KvmSegment Ss;
    public KvmSegment Tr;
    public KvmSegment Ldt;
    public KvmDtable Gdt;
    public KvmDtable Idt;
    public ulong Cr0;
    public ulong Cr2;
    public ulong Cr3;
    public ulong Cr4;
    public ulong Cr8;
    public ulong Efer;
    public ulong ApicBase;
    public InterruptBits InterruptBitmap;

    /// <summary>One bit for each of the 256 vectors.</summary>
    [InlineArray(4)]
    internal struct InterruptBits
    {
        private ulong _first;
    }
}

/// <summary>struct kvm_debugregs of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct KvmDebugregs
{
    public ulong Db0;
    public ulong Db1;
    public ulong Db2;
    public ulong Db3;
    public ulong Dr6;
    public ulong Dr7;
    public ulong Flags;
}

/// <summary>struct kvm_msrs of asm/kvm.h without its entries, which follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmMsrs
{
    // Numbers of asm/msr-index.h and asm/hyperv-tlfs.h.
    public const uint MSR_IA32_TSC = 0x10;
    public const uint MSR_IA32_APICBASE = 0x1B;
    public const uint MSR_IA32_TSC_ADJUST = 0x3B;
    public const uint MSR_SMI_COUNT = 0x34;
    public const uint MSR_IA32_SMBASE = 0x9E;
    public const uint MSR_IA32_TSC_DEADLINE = 0x6E0;
    public const uint HV_X64_MSR_FIRST = 0x4000_0000;
    public const uint HV_X64_MSR_LAST = 0x4000_FFFF;
    public const uint MSR_EFER = 0xC000_0080;
    public const uint MSR_FS_BASE = 0xC000_0100;
    public const uint MSR_GS_BASE = 0xC000_0101;

    public uint NMsrs;
    public uint Pad;
}

/// <summary>struct kvm_msr_entry of asm/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmMsrEntry
{
    public uint Index;
    public uint Reserved;
    public ulong Data;
}

/// <summary>struct kvm_xcrs of asm/kvm.h; only its first register is used.</summary>
[StructLayout(LayoutKind.Sequential, Size = 392)]
internal struct KvmXcrs
{
    public uint NrXcrs;
    public uint Flags;
    public uint Xcr;
    public uint Reserved;
    public ulong Value;
}

/// <summary>struct kvm_interrupt of linux/kvm.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmInterrupt
{
    public uint Irq;
}

/// <summary>struct kvm_vcpu_events of asm/kvm.h; zero but for its flags it says that nothing is pending.</summary>
[StructLayout(LayoutKind.Explicit, Size = 64)]
internal struct KvmVcpuEvents
{
    public const uint KVM_VCPUEVENT_VALID_NMI_PENDING = 1;
    public const uint KVM_VCPUEVENT_VALID_SHADOW = 8;
    public const uint KVM_VCPUEVENT_VALID_TRIPLE_FAULT = 0x20;

    [FieldOffset(0)]
    public byte ExceptionInjected;

    [FieldOffset(1)]
    public byte ExceptionNr;

    [FieldOffset(8)]
    public byte InterruptInjected;

    [FieldOffset(9)]
    public byte InterruptNr;

    [FieldOffset(11)]
    public byte InterruptShadow;

    [FieldOffset(20)]
    public uint Flags;

    [FieldOffset(28)]
    public byte TripleFaultPending;
}
