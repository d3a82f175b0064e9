using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Kvm.Interop;

/// <summary>struct kvm_run of linux/kvm.h: the page through which a vCPU and its owner talk.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2352)]
internal struct KvmRun
{
    public const uint KVM_EXIT_UNKNOWN = 0;
    public const uint KVM_EXIT_IO = 2;
    public const uint KVM_EXIT_DEBUG = 4;
    public const uint KVM_EXIT_HLT = 5;
    public const uint KVM_EXIT_MMIO = 6;
    public const uint KVM_EXIT_IRQ_WINDOW_OPEN = 7;
    public const uint KVM_EXIT_SHUTDOWN = 8;
    public const uint KVM_EXIT_FAIL_ENTRY = 9;
    public const uint KVM_EXIT_INTERNAL_ERROR = 17;
    public const uint KVM_EXIT_MEMORY_FAULT = 39;

    public const byte KVM_EXIT_IO_IN = 0;
    public const byte KVM_EXIT_IO_OUT = 1;

    public const uint KVM_INTERNAL_ERROR_EMULATION = 1;
    public const ulong KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;

    /// <summary>Not zero: the guest is to exit as soon as it can be interrupted.</summary>
    [FieldOffset(0)]
    public byte RequestInterruptWindow;

    [FieldOffset(1)]
    public byte ImmediateExit;

    [FieldOffset(8)]
    public uint ExitReason;

    /// <summary>Not zero: the guest can be interrupted.</summary>
    [FieldOffset(12)]
    public byte ReadyForInterruptInjection;

    [FieldOffset(16)]
    public ulong Cr8;

    /// <summary>What any exit that has no structure here begins with.</summary>
    [FieldOffset(32)]
    public ulong FirstDetail;

    [FieldOffset(32)]
    public KvmRunIo Io;

    [FieldOffset(32)]
    public KvmRunDebug Debug;

    [FieldOffset(32)]
    public KvmRunMmio Mmio;

    [FieldOffset(32)]
    public KvmRunInternalError InternalError;

    [FieldOffset(32)]
    public KvmRunMemoryFault MemoryFault;

    /// <summary>Which register sets the kernel stores below at each exit.</summary>
    [FieldOffset(288)]
    public ulong ValidRegs;

    /// <summary>Which register sets the kernel loads from below at the next entry.</summary>
    [FieldOffset(296)]
    public ulong DirtyRegs;

    [FieldOffset(304)]
    public KvmRegs Regs;

    [FieldOffset(448)]
    public KvmSregs Sregs;

    [FieldOffset(760)]
    public KvmVcpuEvents Events;
}

/// <summary>KVM_EXIT_IO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmRunIo
{
    public byte Direction;
    public byte Size;
    public ushort Port;
    public uint Count;
    public ulong DataOffset;
}

/// <summary>KVM_EXIT_MMIO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmRunMmio
{
    public ulong PhysAddr;
    public ulong Data;
    public uint Len;
    public byte IsWrite;
}

/// <summary>KVM_EXIT_DEBUG.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmRunDebug
{
    public uint Exception;
    public uint Pad;
    public ulong Pc;
    public ulong Dr6;
    public ulong Dr7;
}

/// <summary>KVM_EXIT_INTERNAL_ERROR, with the members that an emulation failure adds.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmRunInternalError
{
    public uint Suberror;
    public uint NData;
    public ulong Flags;
    public byte InsnSize;
    public InstructionBytes InsnBytes;

    /// <summary>The bytes of one instruction.</summary>
    [InlineArray(15)]
    internal struct InstructionBytes
    {
        private byte _first;
    }
}

/// <summary>KVM_EXIT_MEMORY_FAULT.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct KvmRunMemoryFault
{
    public ulong Flags;
    public ulong Gpa;
    public ulong Size;
}
