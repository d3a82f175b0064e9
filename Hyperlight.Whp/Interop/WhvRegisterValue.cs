using System.Runtime.InteropServices;

namespace Hyperlight.Whp.Interop;

/// <summary>WHV_X64_SEGMENT_REGISTER.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct WhvX64SegmentRegister
{
    public ulong Base;
    public uint Limit;
    public ushort Selector;
    public ushort Attributes;
}

/// <summary>WHV_X64_TABLE_REGISTER.</summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvX64TableRegister
{
    [FieldOffset(6)]
    public ushort Limit;

    [FieldOffset(8)]
    public ulong Base;
}

/// <summary>
/// WHV_REGISTER_VALUE: a union of 16 bytes. The platform wants arrays of it at a multiple of 16, which neither the stack nor
/// the heap of managed code guarantees: they live in native memory.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 16)]
internal struct WhvRegisterValue
{
    /// <summary>What the address of an array is a multiple of.</summary>
    public const int Alignment = 16;

    [FieldOffset(0)]
    public ulong Reg64;

    [FieldOffset(0)]
    public WhvX64SegmentRegister Segment;

    [FieldOffset(0)]
    public WhvX64TableRegister Table;
}
