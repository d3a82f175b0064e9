using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Jumps, calls and returns.</summary>
internal sealed partial class RegionEmitter
{
    private const int NonCanonicalBits = 16;

    private void EmitBranch(RegionNode node, in MicroOp op, int behind)
    {
        switch (op.Op)
        {
            case Op.Jcc:
                SaveFlags();
                UseFlags();
                _a.JumpIf(op.Condition, node.Target is { } target
                    ? _labels[target.Position]
                    : LeaveAt(RegionExit.Continue, op.Immediate, 0));
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
                GoToIndirect(ReturnTargets());
                break;
        }
    }

    /// <summary>Goes on at a block of the region, or leaves the region for one that is not in it.</summary>
    private void GoTo(RegionNode from, RegionNode? to, ulong rip)
    {
        SaveFlags();
        if (to is null)
        {
            Leave(RegionExit.Continue, rip, 0);
        }
        else if (to.Position != from.Position + 1)
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

    /// <summary>The interpreter raises the exception that a jump to an impossible address is.</summary>
    private void InterpretUnlessCanonical()
    {
        _a.Emit(8, Mov, Host.Address, Translation);
        _a.Emit(8, 0xC1, 4, Translation);
        _a.Byte(NonCanonicalBits);
        _a.Emit(8, 0xC1, 7, Translation);
        _a.Byte(NonCanonicalBits);
        _a.Emit(8, 0x39, Host.Entry, GuestAddress);
        _a.JumpIf(NotEqual, Slow);
    }

    /// <summary>Where the calls of the region return to.</summary>
    private IEnumerable<ulong> ReturnTargets() => _nodes
        .Where(static node => node.Last.Op is Op.Call or Op.CallIndirect)
        .Select(static node => node.Last.NextRip);

    /// <summary>Goes to the address in the address register: within the region if it is one that is expected.</summary>
    private void GoToIndirect(IEnumerable<ulong> expected)
    {
        SaveFlags();
        HashSet<ulong> addresses = [.. expected];
        foreach (RegionNode target in _nodes)
        {
            if (target.Continues || !addresses.Contains(target.Block.Rip))
            {
                continue;
            }

            ulong rip = target.Block.Rip;
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

            _a.JumpIf(Equal, _labels[target.Position]);
        }

        LoadConstant(Host.Entry, (ulong)RegionExit.Continue);
        _a.Jump(_leave);
    }
}
