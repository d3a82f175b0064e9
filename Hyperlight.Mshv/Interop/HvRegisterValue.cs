using System.Runtime.InteropServices;

namespace Hyperlight.Mshv.Interop;

/// <summary>union hv_register_value of hyperv/hvgdk_mini.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct HvRegisterValue
{
    [FieldOffset(0)]
    public ulong Reg64;

    [FieldOffset(0)]
    public HvX64SegmentRegister Segment;

    [FieldOffset(0)]
    public HvX64TableRegister Table;
}

/// <summary>struct hv_x64_segment_register of hyperv/hvgdk_mini.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct HvX64SegmentRegister
{
    [FieldOffset(0)]
    public ulong Base;

    [FieldOffset(8)]
    public uint Limit;

    [FieldOffset(12)]
    public ushort Selector;

    [FieldOffset(14)]
    public ushort Attributes;
}

/// <summary>struct hv_x64_table_register of hyperv/hvgdk_mini.h.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct HvX64TableRegister
{
    [FieldOffset(6)]
    public ushort Limit;

    [FieldOffset(8)]
    public ulong Base;
}
