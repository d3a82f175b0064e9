using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The way from RIP to executed instructions.</summary>
internal sealed unsafe partial class Processor
{
    private long _run;

    /// <summary>Instructions of the running block that may be executed: 0 once they may have changed.</summary>
    private int _blockEnd;

    /// <summary>
    /// The last instruction that wrote to a port: where it is, and whether it is OUTS. For those who report it as a hypervisor
    /// does that leaves RIP at the instruction.
    /// </summary>
    public (ulong Rip, bool IsString) PortWrite { get; private set; }

    /// <summary>RSI and RCX as they were before the last element of OUTS, for the same purpose.</summary>
    public (ulong Rsi, ulong Rcx, bool IsRepeated) StringWrite { get; private set; }

    /// <summary>Asks the run, or the next one, to end.</summary>
    public void Cancel()
    {
        if (TryHoldMemory())
        {
            Interlocked.Or(ref _state->CancelRequested, ProcessorState.CancelBit);
            native.DangerousRelease();
        }
    }

    /// <summary>Keeps the memory outside the managed heap until it is released again, unless there will be no run any more.</summary>
    private bool TryHoldMemory()
    {
        bool isHeld = false;
        try
        {
            native.DangerousAddRef(ref isHeld);
        }
        catch (ObjectDisposedException)
        {
            // The machine is disposed.
        }

        return isHeld;
    }

    /// <summary>Executes instructions until one, or the host, ends it.</summary>
    public VmExit Run()
    {
        bool isHeld = false;
        try
        {
            native.DangerousAddRef(ref isHeld);
            return RunHeld();
        }
        finally
        {
            _running = null;
            if (isHeld)
            {
                // The code can have been asked for during the run, and there may be no other one.
                ReleaseUnlessRunning();
                native.DangerousRelease();
            }
        }
    }

    private VmExit RunHeld()
    {
        using Lock.Scope use = _codeUse.EnterScope();

        // The host may have written over code since the last run.
        _run++;
        if (_injected != NoVector && !EnterInterrupt())
        {
            return _exit;
        }

        while (true)
        {
            ReleaseIfWanted();
            if (IsCancelled)
            {
                Interlocked.And(ref _state->CancelRequested, ~ProcessorState.CancelBit);
                return VmExit.Cancelled;
            }

            if (_executed >= _executedLimit)
            {
                return VmExit.InstructionBudgetExhausted;
            }

            if (_isWindowWanted && IsInterruptible)
            {
                _isWindowWanted = false;
                return VmExit.InterruptWindow;
            }

            if ((MustInterpret || MustLeaveShadow() ? Step() : ExecuteBlock()) || Deliver())
            {
                continue;
            }

            return _exit;
        }
    }

    private bool IsCancelled => (Volatile.Read(ref _state->CancelRequested) & ProcessorState.CancelBit) != 0;

    /// <summary>Executes the code at RIP, and says whether nothing is pending.</summary>
    private bool ExecuteBlock() => FindBlock() is not { } block ? CountNotFetched()
        : block.Region is { } region ? Enter(region, block)
        : Interpret(block);

    /// <summary>
    /// Counts an instruction that cannot be fetched as one that faults: a handler that cannot be fetched either would be
    /// entered again and again, and no budget would end that.
    /// </summary>
    private bool CountNotFetched()
    {
        _executed++;
        return false;
    }

    /// <summary>Executes a block, and says whether nothing is pending.</summary>
    private bool Interpret(Block block)
    {
        // A block with code is interpreted now and then: where that code has returned.
        if (++block.Heat == _hotThreshold && block.Region is null)
        {
            Compile(block);
        }

        bool isDone = block.Heat >= _notedFrom && block.Heat < _hotThreshold
            ? ExecuteAll(block.Ops, new PageNotes(this, block.MakeNotes()))
            : ExecuteAll(block.Ops, default(NoNotes));
        if (isDone)
        {
            NoteTarget(block);
        }

        return isDone;
    }

    /// <summary>Executes the instructions of a block, and says whether nothing is pending.</summary>
    private bool ExecuteAll<TNotes>(MicroOp[] ops, TNotes notes)
        where TNotes : struct, IOpNotes
    {
        long allowed = _executedLimit - _executed;
        _blockEnd = allowed < ops.Length ? (int)allowed : ops.Length;
        int i = 0;
        while (i < _blockEnd)
        {
            notes.Note(ops, i);
            ref MicroOp op = ref ops[i++];
            _rip = op.NextRip;
            if (!Execute(ref op))
            {
                _executed += i;
                if (_pending != Pending.ExitBehind)
                {
                    _rip = op.Rip;
                }

                return false;
            }
        }

        _executed += i;
        return true;
    }

    /// <summary>Remembers where an indirect branch went, for the compiler.</summary>
    private void NoteTarget(Block block)
    {
        if (block.Ops[^1].Op is Op.JmpIndirect or Op.CallIndirect && block.Heat < _hotThreshold)
        {
            block.MakeNotes().NoteTarget(_rip);
        }
    }
}
