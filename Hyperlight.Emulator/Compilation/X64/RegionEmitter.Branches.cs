using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Jumps, calls and returns.</summary>
internal sealed partial class RegionEmitter
{
    private const int NonCanonicalBits = 16;

    /// <summary>With how many addresses an indirect target is compared one after the other; among more, the comparisons are a tree.</summary>
    private const int MostCompared = 3;

    /// <summary>The table finds one among more sooner.</summary>
    private const int MostExpected = 32;

    private readonly List<RegionNode> _expected = [];

    /// <summary>Where the returns of the region compare their address; none so far.</summary>
    private int? _returns;

    private void EmitBranch(RegionNode node, in MicroOp op, int behind)
    {
        switch (op.Op)
        {
            case Op.Jcc:
                UseFlags();
                if (behind > 0)
                {
                    _a.JumpIf(op.Condition, LeaveTraceFor(node.Target, op.Immediate, behind));
                    break;
                }

                SaveFlags();
                _a.JumpIf(op.Condition, node.Target is { } target
                    ? _labels[target.Position]
                    : GoOnAt(op.Immediate));
                GoTo(node, node.Next, op.NextRip);
                break;
            case Op.Jmp:
                // Within a trace, what it leads to follows.
                if (behind == 0)
                {
                    GoTo(node, node.Target, op.Immediate);
                }

                break;
            case Op.JmpIndirect:
                LoadTarget(in op);
                GoToIndirect(node.Targets, mayBeHigh: true);
                break;
            case Op.Call:
                TranslateStack(GeneralRegister.Rsp, -StackSlot, StateOffsets.WriteTag);
                StoreConstant(op.NextRip);
                Advance(GeneralRegister.Rsp, -StackSlot);
                GoTo(node, node.Target, op.Immediate);
                break;
            case Op.CallIndirect:
                LoadTarget(in op);
                InterpretUnlessCanonical();
                _a.Emit(8, Mov, Host.Address, Operand.State(StateOffsets.Scratch));
                TranslateStack(GeneralRegister.Rsp, -StackSlot, StateOffsets.WriteTag);
                StoreConstant(op.NextRip);
                Advance(GeneralRegister.Rsp, -StackSlot);
                _a.Emit(8, MovFrom, Host.Address, Operand.State(StateOffsets.Scratch));
                GoToIndirect(node.Targets, mayBeHigh: false);
                break;
            default:
                TranslateStack(GeneralRegister.Rsp, 0, StateOffsets.ReadTag);
                _a.Emit(8, MovFrom, Host.Address, Memory);
                Advance(GeneralRegister.Rsp, StackSlot + (int)op.Immediate);
                GoToReturn(StackSlot + (int)op.Immediate);
                break;
        }
    }

    /// <summary>Goes on at a block of the region, or leaves the region for one that is not in it.</summary>
    private void GoTo(RegionNode from, RegionNode? to, ulong rip)
    {
        SaveFlags();
        if (to is null)
        {
            GoOn(rip);
        }
        else if (_isCopy || to.Position != from.Position + 1)
        {
            _a.Jump(_labels[to.Position]);
        }
    }

    /// <summary>Puts where an indirect branch goes into the address register.</summary>
    private void LoadTarget(in MicroOp op)
    {
        if (op.Destination == OperandKind.Memory)
        {
            TranslateOperand(in op, StackSlot, StateOffsets.ReadTag);
            _a.Emit(8, MovFrom, Host.Address, Memory);
            return;
        }

        FreeFlags();
        _a.Emit(8, Mov, Read(op.DestinationRegister, Host.Address), GuestAddress);
    }

    /// <summary>
    /// The interpreter raises the exception that a jump to an impossible address is. Low addresses, which most code has, are
    /// possible ones.
    /// </summary>
    private void InterpretUnlessCanonical()
    {
        int done = _a.NewLabel();
        FreeFlags();
        CheckHigh(done, Slow);
        _a.Mark(done);
    }

    /// <summary>Goes elsewhere with a high address: to one of two places, of which one is for addresses that are not canonical.</summary>
    private void CheckHigh(int isCanonical, int otherwise)
    {
        int isHigh = _a.NewLabel();
        _a.Emit(8, 0x81, 7, GuestAddress);
        _a.Immediate(4, int.MaxValue);
        _a.JumpIf(Above, isHigh);
        _outOfLine.Add(new OutOfLine(OutOfLineKind.CheckAddress, isHigh, isCanonical, otherwise));
    }

    private void CheckCanonical(int otherwise)
    {
        _a.Emit(8, Mov, Host.Address, Translation);
        _a.Emit(8, 0xC1, 4, Translation);
        _a.Byte(NonCanonicalBits);
        _a.Emit(8, 0xC1, 7, Translation);
        _a.Byte(NonCanonicalBits);
        _a.Emit(8, 0x39, Host.Entry, GuestAddress);
        _a.JumpIf(NotEqual, otherwise);
    }

    /// <summary>Goes back to the address in the address register: often to behind a call of the region.</summary>
    /// <param name="distance">How far the stack pointer was moved, in which a fault does not move it.</param>
    private void GoToReturn(int distance)
    {
        ExpectReturns();
        int undo = _a.NewLabel();
        if (_expected.Count is <= MostCompared or > MostExpected)
        {
            GoToExpected(undo);
        }
        else
        {
            // The comparisons are the same for all returns of the region.
            SaveFlags();
            _returns ??= _a.NewLabel();
            CheckHigh(_returns.Value, undo);
            _a.Jump(_returns.Value);
        }

        _outOfLine.Add(new OutOfLine(OutOfLineKind.UndoReturn, undo, Slow, distance));
    }

    /// <summary>Where the returns of the region lead, as far as it has calls.</summary>
    private void ExpectReturns()
    {
        _expected.Clear();
        for (int i = 0; i < _nodes.Count && _expected.Count <= MostExpected; i++)
        {
            if (_nodes[i].Last.Op is Op.Call or Op.CallIndirect)
            {
                Expect(_nodes[i].Last.NextRip);
            }
        }
    }

    /// <summary>What the returns of the region have in common, if they are to go to one of several places.</summary>
    private void EmitReturns()
    {
        if (_returns is { } label)
        {
            _a.Mark(label);
            ExpectReturns();
            _flags = FlagPlace.Saved;
            GoToExpected(isImpossible: null);
        }
    }

    /// <summary>Goes to the address in the address register: within the region if it is one that was seen before.</summary>
    /// <param name="seen">The addresses that were.</param>
    /// <param name="mayBeHigh">Whether it may be none that code can have.</param>
    private void GoToIndirect(IReadOnlyList<ulong> seen, bool mayBeHigh)
    {
        _expected.Clear();
        foreach (ulong rip in seen)
        {
            Expect(rip);
        }

        GoToExpected(mayBeHigh ? Slow : null);
    }

    private void Expect(ulong rip)
    {
        foreach (RegionNode node in _nodes)
        {
            if (node.Block.Rip == rip && !node.Continues && !_expected.Contains(node))
            {
                _expected.Add(node);
            }
        }
    }

    /// <summary>Compares the address with those that are expected. Another one is checked, and looked up.</summary>
    /// <param name="isImpossible">Where to go if it is not canonical; nothing if it was checked before.</param>
    private void GoToExpected(int? isImpossible)
    {
        SaveFlags();
        if (_expected.Count > MostExpected)
        {
            _expected.Clear();
        }

        _expected.Sort(static (a, b) => a.Block.Rip.CompareTo(b.Block.Rip));
        int isOther = isImpossible is null ? _goOn : _a.NewLabel();
        GoToExpected(0, _expected.Count, isOther);
        if (isImpossible is { } impossible)
        {
            _a.Mark(isOther);
            CheckHigh(_goOn, impossible);
        }

        _a.Jump(_goOn);
    }

    /// <summary>Compares the address with a part of those that are expected. Behind it is where others go on.</summary>
    private void GoToExpected(int first, int end, int isOther)
    {
        while (end - first > MostCompared)
        {
            int middle = (first + end) / 2;
            int isAbove = _a.NewLabel();
            CompareTarget(_expected[middle]);
            _a.JumpIf(Above, isAbove);
            GoToExpected(first, middle, isOther);
            _a.Jump(isOther);
            _a.Mark(isAbove);
            first = middle + 1;
        }

        for (; first < end; first++)
        {
            CompareTarget(_expected[first]);
        }
    }

    private void CompareTarget(RegionNode node)
    {
        ulong rip = node.Block.Rip;
        if ((long)rip == (int)rip)
        {
            _a.Emit(8, 0x81, 7, GuestAddress);
            _a.Immediate(4, (long)rip);
        }
        else
        {
            LoadConstant(Host.Entry, rip);
            _a.Emit(8, 0x39, Host.Entry, GuestAddress);
        }

        _a.JumpIf(Equal, _labels[node.Position]);
    }
}
