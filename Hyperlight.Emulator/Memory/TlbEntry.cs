using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// One translation. A tag is the page's linear address if that kind of access needs no further check. Compiled code knows
/// its size, <see cref="Tlb.EntryShift"/>.
/// </summary>
[StructLayout(LayoutKind.Explicit)]
internal struct TlbEntry
{
    public const int ReadTagOffset = 0;
    public const int WriteTagOffset = 8;
    public const int FetchTagOffset = 16;
    public const int PageOffset = 24;

    [FieldOffset(ReadTagOffset)]
    public ulong ReadTag;

    [FieldOffset(WriteTagOffset)]
    public ulong WriteTag;

    [FieldOffset(FetchTagOffset)]
    public ulong FetchTag;

    [FieldOffset(PageOffset)]
    public HostPage Page;
}
