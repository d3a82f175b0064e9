using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Mshv.Interop;

/// <summary>
/// struct hv_message of hyperv/hvgdk_mini.h, what MSHV_RUN_VP fills: the header, and the intercept messages of
/// hyperv/hvhdk.h at its payload.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct HvMessage
{
    public const uint HVMSG_NONE = 0;
    public const uint HVMSG_UNMAPPED_GPA = 0x8000_0000;
    public const uint HVMSG_GPA_INTERCEPT = 0x8000_0001;
    public const uint HVMSG_UNRECOVERABLE_EXCEPTION = 0x8000_0021;
    public const uint HVMSG_X64_IO_PORT_INTERCEPT = 0x8001_0000;
    public const uint HVMSG_X64_EXCEPTION_INTERCEPT = 0x8001_0003;
    public const uint HVMSG_X64_HALT = 0x8001_0007;
    public const uint HVMSG_X64_INTERRUPTION_DELIVERABLE = 0x8001_0008;

    [FieldOffset(0)]
    public uint MessageType;

    [FieldOffset(4)]
    public byte PayloadSize;

    [FieldOffset(16)]
    public HvX64InterceptMessageHeader Intercept;

    [FieldOffset(16)]
    public HvX64MemoryInterceptMessage Memory;

    [FieldOffset(16)]
    public HvX64IoPortInterceptMessage IoPort;

    [FieldOffset(16)]
    public HvX64ExceptionInterceptMessage Exception;
}

/// <summary>struct hv_x64_intercept_message_header of hyperv/hvhdk.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct HvX64InterceptMessageHeader
{
    public const byte HV_INTERCEPT_ACCESS_READ = 0;
    public const byte HV_INTERCEPT_ACCESS_WRITE = 1;
    public const byte HV_INTERCEPT_ACCESS_EXECUTE = 2;

    private const byte LengthMask = 0xF;

    /// <summary>EFER.LMA in the execution state, and L of the code segment.</summary>
    private const ushort LongModeActive = 1 << 4;
    private const ushort LongModeCode = 1 << 13;

    [FieldOffset(0)]
    public uint VpIndex;

    [FieldOffset(4)]
    public byte InstructionLengthAndCr8;

    [FieldOffset(5)]
    public byte InterceptAccessType;

    [FieldOffset(6)]
    public ushort ExecutionState;

    [FieldOffset(8)]
    public HvX64SegmentRegister CsSegment;

    [FieldOffset(24)]
    public ulong Rip;

    [FieldOffset(32)]
    public ulong Rflags;

    /// <summary>The low four bits of the byte that CR8 shares.</summary>
    public readonly uint InstructionLength => (uint)(InstructionLengthAndCr8 & LengthMask);

    /// <summary>Whether the guest executes 64-bit code.</summary>
    public readonly bool IsIn64BitMode => (ExecutionState & LongModeActive) != 0 && (CsSegment.Attributes & LongModeCode) != 0;
}

/// <summary>struct hv_x64_memory_intercept_message of hyperv/hvhdk.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 80)]
internal struct HvX64MemoryInterceptMessage
{
    [FieldOffset(0)]
    public HvX64InterceptMessageHeader Header;

    [FieldOffset(44)]
    public byte InstructionByteCount;

    [FieldOffset(48)]
    public ulong GuestVirtualAddress;

    [FieldOffset(56)]
    public ulong GuestPhysicalAddress;

    [FieldOffset(64)]
    public HvInstructionBytes InstructionBytes;
}

/// <summary>struct hv_x64_io_port_intercept_message of hyperv/hvhdk.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 128)]
internal struct HvX64IoPortInterceptMessage
{
    private const byte SizeMask = 7;
    private const byte String = 0x08;
    private const byte Repeated = 0x10;

    [FieldOffset(0)]
    public HvX64InterceptMessageHeader Header;

    [FieldOffset(40)]
    public ushort PortNumber;

    [FieldOffset(42)]
    public byte AccessInfo;

    [FieldOffset(43)]
    public byte InstructionByteCount;

    [FieldOffset(48)]
    public ulong Rax;

    [FieldOffset(56)]
    public HvInstructionBytes InstructionBytes;

    [FieldOffset(104)]
    public ulong Rcx;

    [FieldOffset(112)]
    public ulong Rsi;

    /// <summary>Bytes of the access.</summary>
    public readonly byte AccessSize => (byte)(AccessInfo & SizeMask);

    /// <summary>Whether it is OUTS, whose data are in guest memory.</summary>
    public readonly bool IsStringOutput =>
        (AccessInfo & (String | Repeated)) != 0 && Header.InterceptAccessType == HvX64InterceptMessageHeader.HV_INTERCEPT_ACCESS_WRITE;

    /// <summary>Whether the instruction has a REP prefix.</summary>
    public readonly bool IsRepeated => (AccessInfo & Repeated) != 0;
}

/// <summary>struct hv_x64_exception_intercept_message of hyperv/hvhdk.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 240)]
internal struct HvX64ExceptionInterceptMessage
{
    [FieldOffset(0)]
    public HvX64InterceptMessageHeader Header;

    [FieldOffset(40)]
    public ushort ExceptionVector;

    [FieldOffset(48)]
    public ulong ExceptionParameter;
}

/// <summary>The bytes of the instruction, as far as the hypervisor has them.</summary>
[InlineArray(16)]
internal struct HvInstructionBytes
{
    private byte _first;
}
