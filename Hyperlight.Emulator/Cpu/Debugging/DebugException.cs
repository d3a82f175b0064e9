using static Hyperlight.Emulator.Cpu.DebugBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The debug exception, which reports in DR6 why it comes.</summary>
internal readonly unsafe struct DebugException(ProcessorState* state, PendingEvent pending)
{
    /// <summary>Makes the debug exception of what is held pending.</summary>
    public bool Raise(PendingKind kind, ulong status)
    {
        state->Debug.Dr6 = (state->Debug.Dr6 & ~Dr6Hits) | state->Debug.HeldStatus | status;
        state->Debug.Dr7 &= ~Dr7GeneralDetect;
        state->Debug.HeldStatus = 0;
        state->Debug.IsStatusDue = false;
        return kind == PendingKind.Fault ? pending.Fault(DebugVector, 0) : pending.Trap(DebugVector, state->Rip);
    }
}
