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
