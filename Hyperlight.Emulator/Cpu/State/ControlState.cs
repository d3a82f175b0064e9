using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Control registers, and EFER, which is like one.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct ControlState
{
    public const int Size = 56;

    public ulong Cr0;
    public ulong Cr2;
    public ulong Cr3;
    public ulong Cr4;
    public ulong Cr8;
    public ulong Efer;

    /// <summary>XCR0: the components that are enabled.</summary>
    public ulong Xcr0;
}
