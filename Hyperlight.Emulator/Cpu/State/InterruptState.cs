using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Interrupts from outside that the guest has not had yet.</summary>
[StructLayout(LayoutKind.Sequential, Size = Size)]
internal struct InterruptState
{
    public const int Size = 16;

    /// <summary>No interrupt is injected.</summary>
    public const int NoVector = -1;

    /// <summary>No instruction is there.</summary>
    public const ulong NoShadow = ulong.MaxValue;

    /// <summary>
    /// Where the instruction is that STI or a load of SS holds interrupts back for. If the guest comes there in another way, it
    /// is interrupted an instruction later than it could be.
    /// </summary>
    public ulong Shadowed;

    /// <summary>The vector that the guest is interrupted with when it runs again.</summary>
    public int Injected;

    /// <summary>The run ends as soon as the guest can be interrupted.</summary>
    public bool IsWindowWanted;
}
