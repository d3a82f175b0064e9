using Hyperlight.Emulator.Cpu;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>What is behind the blocks of a region: the rare cases.</summary>
internal sealed partial class RegionEmitter
{
    private readonly List<OutOfLine> _outOfLine = [];
    private readonly NearJumps _leaveJumps = new(assembler);
    private readonly NearJumps _endJumps = new(assembler);
    private int _endBudget;
    private int _endBudgetWide;

    /// <summary>A place at which the region is left for the interpreter: the budget ends within the trace.</summary>
    /// <param name="rip">Where the guest is then.</param>
    /// <param name="notExecuted">How many instructions of the trace were counted and not executed.</param>
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

    /// <summary>A place at which a trace is left for a block of the region, or for one outside it.</summary>
    /// <param name="target">The block, if it is in the region.</param>
    /// <param name="rip">Its address.</param>
    /// <param name="notExecuted">How many instructions of the trace were counted and not executed.</param>
    private int LeaveTraceFor(RegionNode? target, ulong rip, int notExecuted)
    {
        int label = _a.NewLabel();
        int done = target is null ? Operand.None : _labels[target.Position];
        _outOfLine.Add(new OutOfLine(OutOfLineKind.LeaveTrace, label, done, notExecuted, _flags == FlagPlace.Host, rip));
        return label;
    }

    /// <summary>The rare case of an instruction: the interpreter executes it, and execution goes on behind it.</summary>
    private void FinishSlow(int behind)
    {
        if (_slow is null)
        {
            return;
        }

        int done = _a.NewLabel();
        _a.Mark(done);
        _outOfLine.Add(new OutOfLine(OutOfLineKind.Interpret, _slowInterpret, done, Number(behind), _flags is FlagPlace.Host or FlagPlace.Both));
    }

    private void EmitOutOfLine(in OutOfLine place)
    {
        _a.Mark(place.Label);
        switch (place.Kind)
        {
            case OutOfLineKind.Interpret:
                Interpret(place.Number);
                if (place.ConvertsFlags)
                {
                    RestoreFlags();
                }

                _a.Jump(place.Done);
                break;
            case OutOfLineKind.InterpretSpan:
                LoadConstant(Host.Entry, (ulong)place.Number);
                CallInterpreter(_interpretSpan);
                if (place.ConvertsFlags)
                {
                    RestoreFlags();
                }

                _a.Jump(place.Done);
                break;
            case OutOfLineKind.RestoreFlags:
                _a.Emit(8, MovFrom, Host.Rax, Operand.State(StateOffsets.Scratch));
                _a.Jump(place.Done);
                break;
            case OutOfLineKind.ComputeFlags:
                ComputeFlags(in place.Source.Op);
                _flags = FlagPlace.Host;
                SaveFlags();
                _a.Jump(place.Done);
                break;
            case OutOfLineKind.CheckAddress:
                CheckCanonical(place.Number);
                _a.Jump(place.Done);
                break;
            case OutOfLineKind.UndoReturn:
                Advance(Processor.Rsp, -place.Number);
                _a.Jump(place.Done);
                break;
            case OutOfLineKind.LeaveTrace:
                _flags = place.ConvertsFlags ? FlagPlace.Host : FlagPlace.Saved;
                SaveFlags();
                _a.Emit(8, 0x8D, Host.Budget, Operand.At(Host.Budget, place.Number));
                if (place.Done == Operand.None)
                {
                    GoOn(place.Rip);
                }
                else
                {
                    _a.Jump(place.Done);
                }

                break;
            case OutOfLineKind.EndBudget:
                LoadConstant(Host.Address, place.Rip);
                EndBudget(place.Number);
                break;
            default:
                GoOn(place.Rip);
                break;
        }
    }

    /// <summary>The number by which the interpreter finds an instruction.</summary>
    /// <param name="behind">How many of its trace follow it.</param>
    private int Number(int behind) => Number(_item, behind, following: 0);

    private int Number(int item, int behind, int following)
    {
        TraceOp place = _trace[item];
        _ops.Add(new EmittedOp(place.Ops, place.Index, behind, following));
        return _ops.Count - 1;
    }

    /// <summary>The interpreter executes an instruction; if it does not go on behind it, the region is left.</summary>
    private void Interpret(int number)
    {
        if (LoadByte(Host.Address, number))
        {
            CallInterpreter(_interpretByte);
        }
        else
        {
            CallInterpreter(_interpret);
        }
    }

    private void CallInterpreter(int function)
    {
        _a.Call(function);
        _leaveJumps.JumpIf(NotEqual);
    }

    /// <summary>Puts a number into a register; if it is small, into its lowest byte, which is shorter.</summary>
    /// <returns>Whether only the lowest byte is set.</returns>
    private bool LoadByte(int register, int number)
    {
        if (number > byte.MaxValue)
        {
            LoadConstant(register, (ulong)number);
            return false;
        }

        _a.EmitShort(1, 0xB0, register);
        _a.Byte((byte)number);
        return true;
    }

    private void EndBudget(int notExecuted)
    {
        if (LoadByte(Host.Entry, notExecuted))
        {
            _endJumps.Jump();
        }
        else
        {
            _a.Jump(_endBudgetWide);
        }
    }

    /// <summary>Where the budget ends: how many instructions of the trace were not executed is in the entry.</summary>
    private void EmitEndBudget()
    {
        _a.Mark(_endBudget);
        _a.Emit(4, 0x0FB6, Host.Entry, Translation);
        _a.Mark(_endBudgetWide);
        _a.Emit(8, 0x01, Host.Entry, Operand.Of(Host.Budget));
        LoadConstant(Host.Entry, (ulong)RegionExit.Interpret);
        _a.Jump(_leave);
    }
}
