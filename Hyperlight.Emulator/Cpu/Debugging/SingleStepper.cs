using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.DebugBits;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Executes instructions one by one, while a step or a breakpoint is armed.</summary>
internal sealed unsafe class SingleStepper(
    ProcessorState* state,
    PendingEvent pending,
    Breakpoints breakpoints,
    DebugException exception,
    CodeFetcher fetcher,
    Interpreter interpreter)
{
    /// <summary>Executes one instruction under debug control. False if something is pending.</summary>
    public bool Step()
    {
        bool wasShadowed = state->Debug.IsShadowed;
        state->Debug.IsShadowed = false;
        if (state->Debug.IsStatusDue)
        {
            return exception.Raise(PendingKind.Trap, 0);
        }

        ulong resume = state->Results.Other & FlagResume;
        if (resume == 0 && !wasShadowed && breakpoints.FindExecutionHits() is > 0 and var hits)
        {
            // The instruction counts as one that faults: the handler may begin with a breakpoint too.
            state->Executed++;
            return exception.Raise(PendingKind.Fault, hits);
        }

        if (fetcher.FindBlock() is not { } block)
        {
            return fetcher.CountNotFetched();
        }

        ref MicroOp op = ref block.Ops[0];
        bool isStepped = (state->Results.Other & FlagTrap) != 0;
        state->Results.Other &= ~FlagResume;
        state->Debug.WatchHits = 0;
        state->BlockEnd = 1;
        state->Rip = op.NextRip;
        state->Executed++;
        bool done = interpreter.Execute(ref op);
        if (!done && pending.Kind != PendingKind.ExitBehind)
        {
            state->Rip = op.Rip;
            state->Results.Other |= pending.Kind == PendingKind.Exit ? resume : 0;
            return false;
        }

        // Between two elements of a repeated instruction RF is set, as on processors of Intel: a breakpoint on the
        // instruction was met before the first.
        state->Results.Other |= state->Rip == op.Rip && op.Repeat != Repeat.None && IsRepeated(op.Op) ? FlagResume : 0;

        // SYSCALL does not trap if its mask cleared TF; no step comes after a load of SS, and what was met is held back.
        isStepped &= op.Op != Op.Syscall || (state->Results.Other & FlagTrap) != 0;
        state->Debug.IsShadowed = IsStackLoad(in op);
        state->Debug.HeldStatus |= state->Debug.WatchHits | (isStepped && !state->Debug.IsShadowed ? Dr6SingleStep : 0);
        if (!done)
        {
            state->Debug.IsStatusDue = state->Debug.HeldStatus != 0;
            return false;
        }

        return state->Debug.HeldStatus == 0 || state->Debug.IsShadowed || exception.Raise(PendingKind.Trap, 0);
    }

    private static bool IsRepeated(Op op) => op is >= Op.Movs and <= Op.Outs or Op.Ins;

    private static bool IsStackLoad(in MicroOp op) =>
        op.Op == Op.Lss || (op.Op == Op.MovToSegment && op.DestinationRegister == SegmentLoader.SsIndex);
}
