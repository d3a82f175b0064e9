using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>One place where emitted code can go on without the processor. Emitted code knows its size and the offsets.</summary>
[StructLayout(LayoutKind.Explicit, Size = 1 << Shift)]
internal struct LinkEntry
{
    /// <summary>An entry has 1 &lt;&lt; 5 bytes.</summary>
    public const int Shift = 5;

    public const int RipOffset = 0;
    public const int RegionOffset = 8;
    public const int BlockOffset = 16;
    public const int TargetOffset = 24;

    /// <summary>The linear address of the block: one that is not canonical if there is none.</summary>
    [FieldOffset(RipOffset)]
    public ulong Rip;

    /// <summary>Where the region of the block is entered, with the address of the block's code in R14.</summary>
    [FieldOffset(RegionOffset)]
    public nint Region;

    /// <summary>The code of the block.</summary>
    [FieldOffset(BlockOffset)]
    public nint Block;

    /// <summary>Which of the table's regions it leads to. Emitted code does not read it.</summary>
    [FieldOffset(TargetOffset)]
    public int Target;
}
