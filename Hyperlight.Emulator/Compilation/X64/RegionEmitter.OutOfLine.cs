using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>What is behind the blocks of a region: the rare cases.</summary>
internal sealed partial class RegionEmitter
{
    private readonly List<OutOfLine> _outOfLine = [];
    private int _endBudget;

    /// <summary>A place at which the region is left for the interpreter: the budget ends within the block.</summary>
    /// <param name="rip">Where the guest is then.</param>
    /// <param name="notExecuted">How many instructions of the block were counted and not executed.</param>
    private int InterpretAt(ulong rip, int notExecuted)
    {
        int label = _a.NewLabel();
        _outOfLine.Add(new OutOfLine(OutOfLineKind.EndBudget, label, Number: notExecuted, Rip: rip));
        return label;
    }

    /// <summary>A place at which the guest goes on at an address outside the region, or the run ends.</summary>
    private int GoOnAt(ulong rip)
    {
        int label = _a.NewLabel();
        _outOfLine.Add(new OutOfLine(OutOfLineKind.GoOn, label, Rip: rip));
        return label;
    }

    /// <summary>The rare case of an instruction: the interpreter executes it, and execution goes on behind it.</summary>
    private void FinishSlow(in MicroOp op, int behind)
    {
        if (_slow is not { } slow)
        {
            return;
        }

        int done = _a.NewLabel();
        _a.Mark(done);
        _outOfLine.Add(new OutOfLine(OutOfLineKind.Interpret, slow, done, Number(in op, behind), _flags != FlagPlace.Saved));
    }

    private void EmitOutOfLine(in OutOfLine place)
    {
        _a.Mark(place.Label);
        switch (place.Kind)
        {
            case OutOfLineKind.Interpret:
                CallInterpreter(place.Number);
                if (place.RestoresFlags)
                {
                    RestoreFlags();
                }

                _a.Jump(place.Done);
                break;
            case OutOfLineKind.RestoreFlags:
                _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.Scratch));
                _a.Jump(place.Done);
                break;
            case OutOfLineKind.EndBudget:
                LoadConstant(Host.Address, place.Rip);
                LoadConstant(Host.Entry, (ulong)place.Number);
                _a.Jump(_endBudget);
                break;
            default:
                GoOn(place.Rip);
                break;
        }
    }

    /// <summary>The number by which the interpreter finds an instruction.</summary>
    /// <param name="op">The instruction.</param>
    /// <param name="behind">How many of its block follow it.</param>
    private int Number(in MicroOp op, int behind)
    {
        _ops.Add(new EmittedOp(op, behind));
        return _ops.Count - 1;
    }

    /// <summary>The interpreter executes an instruction; if it does not go on behind it, the region is left.</summary>
    private void CallInterpreter(int number)
    {
        LoadConstant(Host.Address, (ulong)number);
        _a.Call(_interpret);
        _a.JumpIf(NotEqual, _leaveInterpreted);
    }

    /// <summary>Where the budget ends: how many instructions of the block were not executed is in the entry.</summary>
    private void EmitEndBudget()
    {
        _a.Mark(_endBudget);
        _a.Emit(8, 0x01, Host.Entry, Operand.Of(Host.Budget));
        LoadConstant(Host.Entry, (ulong)RegionExit.Interpret);
        _a.Jump(_leave);
    }
}
