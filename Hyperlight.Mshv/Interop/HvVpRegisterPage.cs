using System.Runtime.InteropServices;

namespace Hyperlight.Mshv.Interop;

/// <summary>
/// struct hv_vp_register_page of hyperv/hvhdk.h: a page that a virtual processor shares with its owner. It can be used
/// while <see cref="IsValid"/> is not 0. The hypervisor loads what <see cref="Dirty"/> names at the next entry.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = 696)]
internal struct HvVpRegisterPage
{
    /// <summary>1 &lt;&lt; HV_X64_REGISTER_CLASS_GENERAL.</summary>
    public const uint General = 1 << 0;

    /// <summary>1 &lt;&lt; HV_X64_REGISTER_CLASS_IP.</summary>
    public const uint Ip = 1 << 1;

    /// <summary>1 &lt;&lt; HV_X64_REGISTER_CLASS_FLAGS.</summary>
    public const uint Flags = 1 << 4;

    [FieldOffset(0)]
    public ushort Version;

    [FieldOffset(2)]
    public byte IsValid;

    [FieldOffset(4)]
    public uint Dirty;

    [FieldOffset(8)]
    public ulong Rax;

    [FieldOffset(16)]
    public ulong Rcx;

    [FieldOffset(24)]
    public ulong Rdx;

    [FieldOffset(32)]
    public ulong Rbx;

    [FieldOffset(40)]
    public ulong Rsp;

    [FieldOffset(48)]
    public ulong Rbp;

    [FieldOffset(56)]
    public ulong Rsi;

    [FieldOffset(64)]
    public ulong Rdi;

    [FieldOffset(72)]
    public ulong R8;

    [FieldOffset(80)]
    public ulong R9;

    [FieldOffset(88)]
    public ulong R10;

    [FieldOffset(96)]
    public ulong R11;

    [FieldOffset(104)]
    public ulong R12;

    [FieldOffset(112)]
    public ulong R13;

    [FieldOffset(120)]
    public ulong R14;

    [FieldOffset(128)]
    public ulong R15;

    [FieldOffset(136)]
    public ulong Rip;

    [FieldOffset(144)]
    public ulong Rflags;
}
