using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>WHV_RUN_VP_EXIT_REASON.</summary>
internal static class WhvRunVpExitReasons
{
    public const uint WHvRunVpExitReasonNone = 0x0000_0000;
    public const uint WHvRunVpExitReasonMemoryAccess = 0x0000_0001;
    public const uint WHvRunVpExitReasonX64IoPortAccess = 0x0000_0002;
    public const uint WHvRunVpExitReasonUnrecoverableException = 0x0000_0004;
    public const uint WHvRunVpExitReasonInvalidVpRegisterValue = 0x0000_0005;
    public const uint WHvRunVpExitReasonUnsupportedFeature = 0x0000_0006;
    public const uint WHvRunVpExitReasonX64InterruptWindow = 0x0000_0007;
    public const uint WHvRunVpExitReasonX64Halt = 0x0000_0008;
    public const uint WHvRunVpExitReasonX64ApicEoi = 0x0000_0009;
    public const uint WHvRunVpExitReasonX64MsrAccess = 0x0000_1000;
    public const uint WHvRunVpExitReasonX64Cpuid = 0x0000_1001;
    public const uint WHvRunVpExitReasonException = 0x0000_1002;
    public const uint WHvRunVpExitReasonX64Rdtsc = 0x0000_1003;
    public const uint WHvRunVpExitReasonHypercall = 0x0000_1005;
    public const uint WHvRunVpExitReasonCanceled = 0x0000_2001;
}

/// <summary>WHV_RUN_VP_EXIT_CONTEXT: why a processor has left its guest.</summary>
[StructLayout(LayoutKind.Explicit, Size = 224)]
internal struct WhvRunVpExitContext
{
    [FieldOffset(0)]
    public uint ExitReason;

    [FieldOffset(8)]
    public WhvVpExitContext VpContext;

    [FieldOffset(48)]
    public WhvMemoryAccessContext MemoryAccess;

    [FieldOffset(48)]
    public WhvX64IoPortAccessContext IoPortAccess;

    [FieldOffset(48)]
    public WhvVpExceptionContext VpException;

    [FieldOffset(48)]
    public WhvX64UnsupportedFeatureContext UnsupportedFeature;
}

/// <summary>WHV_VP_EXIT_CONTEXT: the processor at its exit.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct WhvVpExitContext
{
    private const int LongModeActiveBit = 1 << 4;
    private const int LongSegmentBit = 1 << 13;

    /// <summary>WHV_X64_VP_EXECUTION_STATE: the current privilege level in bits 0 and 1, long mode in bit 4.</summary>
    [FieldOffset(0)]
    public ushort ExecutionState;

    /// <summary>Two bit fields: the instruction's length, and CR8 in the high half.</summary>
    [FieldOffset(2)]
    public byte InstructionLengthAndCr8;

    [FieldOffset(8)]
    public WhvX64SegmentRegister Cs;

    [FieldOffset(24)]
    public ulong Rip;

    [FieldOffset(32)]
    public ulong Rflags;

    public readonly int InstructionLength => InstructionLengthAndCr8 & 0xF;

    /// <summary>Whether the processor was in 64-bit code: long mode, and a code segment of it.</summary>
    public readonly bool IsLongCode => (ExecutionState & LongModeActiveBit) != 0 && (Cs.Attributes & LongSegmentBit) != 0;
}

/// <summary>The bytes of an instruction, as far as the platform has them.</summary>
[InlineArray(16)]
internal struct WhvInstructionBytes
{
    private byte _element0;
}

/// <summary>WHV_MEMORY_ACCESS_CONTEXT.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct WhvMemoryAccessContext
{
    public const uint WHvMemoryAccessRead = 0;
    public const uint WHvMemoryAccessWrite = 1;
    public const uint WHvMemoryAccessExecute = 2;

    private const uint GpaUnmappedBit = 1 << 2;

    [FieldOffset(0)]
    public byte InstructionByteCount;

    [FieldOffset(4)]
    public WhvInstructionBytes InstructionBytes;

    /// <summary>WHV_MEMORY_ACCESS_INFO: the kind of access in bits 0 and 1, whether nothing is mapped in bit 2.</summary>
    [FieldOffset(20)]
    public uint AccessInfo;

    [FieldOffset(24)]
    public ulong Gpa;

    [FieldOffset(32)]
    public ulong Gva;

    public readonly uint AccessType => AccessInfo & 3;

    public readonly bool GpaUnmapped => (AccessInfo & GpaUnmappedBit) != 0;
}

/// <summary>WHV_X64_IO_PORT_ACCESS_CONTEXT.</summary>
[StructLayout(LayoutKind.Explicit, Size = 96)]
internal struct WhvX64IoPortAccessContext
{
    private const uint IsWriteBit = 1 << 0;
    private const int AccessSizeShift = 1;
    private const uint AccessSizeMask = 7;
    private const uint StringOpBit = 1 << 4;
    private const uint RepPrefixBit = 1 << 5;

    [FieldOffset(0)]
    public byte InstructionByteCount;

    [FieldOffset(4)]
    public WhvInstructionBytes InstructionBytes;

    /// <summary>WHV_X64_IO_PORT_ACCESS_INFO: write in bit 0, the size in bits 1 to 3, string in bit 4, repeat prefix in bit 5.</summary>
    [FieldOffset(20)]
    public uint AccessInfo;

    [FieldOffset(24)]
    public ushort PortNumber;

    [FieldOffset(32)]
    public ulong Rax;

    [FieldOffset(40)]
    public ulong Rcx;

    [FieldOffset(48)]
    public ulong Rsi;

    [FieldOffset(56)]
    public ulong Rdi;

    [FieldOffset(64)]
    public WhvX64SegmentRegister Ds;

    [FieldOffset(80)]
    public WhvX64SegmentRegister Es;

    public readonly bool IsWrite => (AccessInfo & IsWriteBit) != 0;

    public readonly byte AccessSize => (byte)((AccessInfo >> AccessSizeShift) & AccessSizeMask);

    /// <summary>Whether it is OUTS, whose data are in guest memory.</summary>
    public readonly bool IsStringOutput => StringOp && IsWrite;

    public readonly bool StringOp => (AccessInfo & StringOpBit) != 0;

    public readonly bool RepPrefix => (AccessInfo & RepPrefixBit) != 0;
}

/// <summary>WHV_VP_EXCEPTION_CONTEXT.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct WhvVpExceptionContext
{
    [FieldOffset(24)]
    public byte ExceptionType;

    [FieldOffset(28)]
    public uint ErrorCode;

    /// <summary>Of a debug exception, what DR6 says.</summary>
    [FieldOffset(32)]
    public ulong ExceptionParameter;
}

/// <summary>WHV_X64_UNSUPPORTED_FEATURE_CONTEXT.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64UnsupportedFeatureContext
{
    [FieldOffset(0)]
    public uint FeatureCode;

    [FieldOffset(8)]
    public ulong FeatureParameter;
}
