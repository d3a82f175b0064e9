using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// The part of a processor's state that machine code emitted for a guest works on. It is outside the managed heap, so that
/// such code does not hold up a garbage collection. Emitted code knows the offsets of the fields.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ProcessorState
{
    /// <summary>Registers that an instruction can name, and one that stays zero.</summary>
    public const int RegisterCount = 17;
    public const int XmmCount = 16;
    public const int XmmSize = 16;

    /// <summary>The general registers in encoding order, and one that stays zero. The last of the array fills up to 16 bytes.</summary>
    public fixed ulong Registers[RegisterCount + 1];

    /// <summary>XMM0 to XMM15, each aligned to its size.</summary>
    public fixed byte Xmm[XmmCount * XmmSize];

    /// <summary>Not zero once the run has been asked to end. Compiled code looks at it where it goes backwards.</summary>
    public int CancelRequested;
}
