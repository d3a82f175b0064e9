using System.Runtime.InteropServices;

namespace Hyperlight.Linux.Interop;

/// <summary>asm/stat.h: struct stat of x86-64, the fields that are used.</summary>
[StructLayout(LayoutKind.Explicit, Size = 144)]
internal struct Stat
{
    public const uint S_IFMT = 0xF000;
    public const uint S_IFREG = 0x8000;

    [FieldOffset(24)]
    public uint Mode;

    [FieldOffset(48)]
    public long Size;
}
