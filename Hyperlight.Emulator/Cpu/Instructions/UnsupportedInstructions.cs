using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions that a processor has and this one has not.</summary>
internal sealed class UnsupportedInstructions(PendingEvent pending, LinearMemory memory)
{
    /// <summary>The processor would execute it, this one cannot: the owner is told which instruction it is.</summary>
    public bool Exit(ref MicroOp op)
    {
        Span<byte> bytes = stackalloc byte[op.Length];
        for (int i = 0; i < bytes.Length; i++)
        {
            if (!memory.LoadSlow(op.Rip + (ulong)i, 1, Access.Fetch, out ulong value))
            {
                return false;
            }

            bytes[i] = (byte)value;
        }

        return pending.ExitWith(VmExit.EmulationFailure(op.Rip, bytes, 1));
    }
}
