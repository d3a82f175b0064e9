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
                GoTo(node, node.Target, op.Immediate);
                break;
            case Op.JmpIndirect:
                LoadTarget(in op);
                InterpretUnlessCanonical();
                GoToIndirect(node.Block.Targets);
                break;
            case Op.Call:
                TranslateStack(Processor.Rsp, -StackSlot, StateOffsets.WriteTag);
                StoreConstant(op.NextRip);
                Advance(Processor.Rsp, -StackSlot);
                GoTo(node, node.Target, op.Immediate);
                break;
            case Op.CallIndirect:
                LoadTarget(in op);
                InterpretUnlessCanonical();
                _a.Emit(8, Mov, Host.Address, Operand.State(StateOffsets.Scratch));
                TranslateStack(Processor.Rsp, -StackSlot, StateOffsets.WriteTag);
                StoreConstant(op.NextRip);
                Advance(Processor.Rsp, -StackSlot);
                _a.Emit(8, MovFrom, Host.Address, Operand.State(StateOffsets.Scratch));
                GoToIndirect(node.Block.Targets);
                break;
            default:
                TranslateStack(Processor.Rsp, 0, StateOffsets.ReadTag);
                _a.Emit(8, MovFrom, Host.Address, Memory);
                InterpretUnlessCanonical();
                Advance(Processor.Rsp, StackSlot + (int)op.Immediate);
                GoToReturn();
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
        int isHigh = _a.NewLabel();
        FreeFlags();
        _a.Emit(8, 0x81, 7, GuestAddress);
        _a.Immediate(4, int.MaxValue);
        _a.JumpIf(Above, isHigh);
        _outOfLine.Add(new OutOfLine(OutOfLineKind.CheckAddress, isHigh, done, Slow));
        _a.Mark(done);
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
    private void GoToReturn()
    {
        _expected.Clear();
        for (int i = 0; i < _nodes.Count && _expected.Count <= MostExpected; i++)
        {
            if (_nodes[i].Last.Op is Op.Call or Op.CallIndirect)
            {
                Expect(_nodes[i].Last.NextRip);
            }
        }

        GoToExpected();
    }

    /// <summary>Goes to the address in the address register: within the region if it is one that was seen before.</summary>
    private void GoToIndirect(IReadOnlyList<ulong> seen)
    {
        _expected.Clear();
        foreach (ulong rip in seen)
        {
            Expect(rip);
        }

        GoToExpected();
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

    /// <summary>Compares the address with those that are expected.</summary>
    private void GoToExpected()
    {
        SaveFlags();
        if (_expected.Count > MostExpected)
        {
            _expected.Clear();
        }

        _expected.Sort(static (a, b) => a.Block.Rip.CompareTo(b.Block.Rip));
        GoToExpected(0, _expected.Count);
    }

    /// <summary>Compares the address with a part of those that are expected.</summary>
    private void GoToExpected(int first, int end)
    {
        while (end - first > MostCompared)
        {
            int middle = (first + end) / 2;
            int isAbove = _a.NewLabel();
            CompareTarget(_expected[middle]);
            _a.JumpIf(Above, isAbove);
            GoToExpected(first, middle);
            _a.Mark(isAbove);
            first = middle + 1;
        }

        for (; first < end; first++)
        {
            CompareTarget(_expected[first]);
        }

        _a.Jump(_goOn);
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
