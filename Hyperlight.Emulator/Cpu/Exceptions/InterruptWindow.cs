using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Interrupts from outside: whether one can be taken, and the run that ends when it can. They are taken between two blocks: where the guest
/// turns interrupts on, a block ends.</summary>
internal readonly unsafe struct InterruptWindow(ProcessorState* state)
{
    /// <summary>Whether the last instruction holds interrupts back for the next one.</summary>
    public bool IsInShadow => state->Rip == state->Interrupts.Shadowed || state->Debug.IsShadowed;

    public bool InterruptsAreOn => (state->Results.Other & FlagInterrupt) != 0;

    public bool IsInterruptible => InterruptsAreOn && !IsInShadow;

    /// <summary>Interrupts the guest when it runs again, or has the run end as soon as it can be interrupted.</summary>
    public bool TryInject(byte vector)
    {
        state->Interrupts.IsWindowWanted = !IsInterruptible;
        state->Interrupts.Injected = state->Interrupts.IsWindowWanted ? state->Interrupts.Injected : vector;
        return !state->Interrupts.IsWindowWanted;
    }

    /// <summary>Has the run end as soon as the guest can be interrupted.</summary>
    public void WantWindow() => state->Interrupts.IsWindowWanted = true;

    /// <summary>Nothing is to interrupt the guest any more.</summary>
    public void DiscardInterrupts() => (state->Interrupts.Injected, state->Interrupts.IsWindowWanted, state->Interrupts.Shadowed) = (InterruptState.NoVector, false, InterruptState.NoShadow);

    /// <summary>Holds interrupts back for the instruction that follows the one being executed.</summary>
    public bool CastShadow()
    {
        state->Interrupts.Shadowed = state->Rip;
        return true;
    }

    /// <summary>Whether a single instruction has to be executed before the guest can be interrupted.</summary>
    public bool MustLeaveShadow()
    {
        if (!state->Interrupts.IsWindowWanted || !InterruptsAreOn)
        {
            return false;
        }

        state->Interrupts.Shadowed = InterruptState.NoShadow;
        return true;
    }
}
