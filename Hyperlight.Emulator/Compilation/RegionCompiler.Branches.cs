using System.Reflection.Emit;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation;

/// <summary>Jumps, calls and returns.</summary>
internal sealed partial class RegionCompiler
{
    private void WriteBranch(RegionNode node, in MicroOp op, Site site)
    {
        switch (op.Op)
        {
            case Op.Jcc:
                WriteConditionalJump(node, in op);
                break;
            case Op.Jmp:
                GoTo(node, node.Target, op.Immediate);
                break;
            case Op.JmpIndirect:
                PushDestination(in op, site);
                _w.Store(_new);
                LeaveUnlessCanonical(site);
                GoToIndirect(node.Targets);
                break;
            case Op.Call:
                _w.Int64(op.NextRip);
                _w.Store(_right);
                PushOnStack(site with { NextRip = op.Immediate }, _right);
                GoTo(node, node.Target, op.Immediate);
                break;
            case Op.CallIndirect:
                PushDestination(in op, site);
                _w.Store(_new);
                LeaveUnlessCanonical(site);
                _w.Int64(op.NextRip);
                _w.Store(_right);
                PushOnStack(site with { GoesToNew = true }, _right);
                GoToIndirect(node.Targets);
                break;
            default:
                PushRegister(GeneralRegister.Rsp);
                LoadMemory(site, StackSlot, _new);
                LeaveUnlessCanonical(site);
                MoveStack(StackSlot + op.Immediate);
                GoToIndirect(ReturnTargets());
                break;
        }
    }

    private void WriteConditionalJump(RegionNode node, in MicroOp op)
    {
        PushCondition(op.Condition);
        if (node.Target is not { } target)
        {
            _w.Emit(OpCodes.Brtrue, LeaveAt(RegionExit.Continue, op.Immediate, 0));
        }
        else
        {
            GoToIfTrue(target);
        }

        GoTo(node, node.Next, op.NextRip);
    }

    /// <summary>Pops a condition, and goes to a block if it is true.</summary>
    private void GoToIfTrue(RegionNode target)
    {
        FlagSource flags = _flags;
        Label taken = _w.NewLabel();
        _w.Emit(OpCodes.Brtrue, taken);
        _outOfLine.Add(() =>
        {
            _w.Mark(taken);
            StoreFlagSource(flags);
            _w.Emit(OpCodes.Br, _labels[target.Position]);
        });
    }

    /// <summary>Where the calls of the region return to.</summary>
    private IEnumerable<ulong> ReturnTargets() => _nodes
        .Where(node => node.Last.Op is Op.Call or Op.CallIndirect)
        .Select(node => node.Last.NextRip)
        .Distinct();

    /// <summary>Goes to the address in <see cref="_new"/>: within the region if it is one that is expected.</summary>
    private void GoToIndirect(IEnumerable<ulong> expected)
    {
        StoreFlagSource(_flags);
        foreach (RegionNode target in _nodes.Where(node => !node.Continues && expected.Contains(node.Block.Rip)))
        {
            _w.Load(_new);
            _w.Int64(target.Block.Rip);
            _w.Emit(OpCodes.Beq, _labels[target.Position]);
        }

        LeaveToNew();
    }

    private void LeaveToNew()
    {
        StoreFlagSource(_flags);
        _w.Load(_new);
        _w.Store(_rip);
        _w.Int32((int)RegionExit.Continue);
        _w.Store(_exit);
        _w.Emit(OpCodes.Br, _leave);
    }

    /// <summary>The interpreter raises the exception that a jump to an impossible address is.</summary>
    private void LeaveUnlessCanonical(Site site)
    {
        _w.Load(_new);
        _w.Call(Members.IsCanonical);
        _w.Emit(OpCodes.Brfalse, LeaveAt(RegionExit.Interpret, site.Rip, site.Behind + 1));
    }
}
