using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Debug registers, and what they are about to report.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct DebugState
{
    public const int Size = 72;

    public ulong Dr0;
    public ulong Dr1;
    public ulong Dr2;
    public ulong Dr3;
    public ulong Dr6;
    public ulong Dr7;

    /// <summary>Data breakpoints that the running instruction met.</summary>
    public ulong WatchHits;

    /// <summary>What is to be reported after the next instruction, or before it if that is where the host stopped.</summary>
    public ulong HeldStatus;

    /// <summary>The host stopped where <see cref="HeldStatus"/> is to be reported.</summary>
    public bool IsStatusDue;

    /// <summary>The last instruction loaded SS: no debug exception comes between it and the one that loads RSP.</summary>
    public bool IsShadowed;

    /// <summary>A data breakpoint is armed: every access to memory takes the slow path, which looks for it.</summary>
    public bool IsWatching;
}
