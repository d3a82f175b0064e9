using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Translates a region to machine code of the host. Most instructions are encoded again, with other registers; what touches
/// memory, the flow of control or the count of instructions is rewritten. Where anything but the common case is met, the
/// interpreter executes that one instruction, from its beginning.
/// </summary>
internal sealed partial class RegionEmitter
{
    private readonly Assembler _a = new();
    private readonly List<MicroOp> _ops = [];
    private readonly List<Action> _outOfLine = [];
    private RegisterMap _map = null!;
    private List<RegionNode> _nodes = null!;
    private int[] _labels = [];
    private bool[] _isHeader = [];
    private int _leave;
    private int _leaveWithoutState;
    private int _leaveInterpreted;
    private int _interpret;

    /// <summary>The code of a region.</summary>
    public ReadOnlySpan<byte> Emit(List<RegionNode> nodes, out int[] entries, out MicroOp[] ops)
    {
        _a.Reset();
        _ops.Clear();
        _outOfLine.Clear();
        _nodes = nodes;
        _map = new RegisterMap(nodes);
        (_leave, _leaveWithoutState, _leaveInterpreted, _interpret) = (_a.NewLabel(), _a.NewLabel(), _a.NewLabel(), _a.NewLabel());
        _labels = new int[nodes.Count];
        for (int i = 0; i < _labels.Length; i++)
        {
            _labels[i] = _a.NewLabel();
        }

        FindHeaders();
        EmitEntry();
        foreach (RegionNode node in nodes)
        {
            EmitNode(node);
        }

        for (int i = 0; i < _outOfLine.Count; i++)
        {
            _outOfLine[i]();
        }

        EmitInterpret();
        EmitLeaveInterpreted();
        EmitExit();
        entries = [.. _labels.Select(_a.OffsetOf)];
        ops = [.. _ops];
        return _a.Finish();
    }

    /// <summary>Whether the code that was emitted last uses vectors, and floating-point numbers.</summary>
    public (bool Vectors, bool Floats) Uses => (_map.Vectors != 0, _map.UsesFloats);

    /// <summary>Blocks that code further down leads back to: nothing may go round for ever without a look at whether to end.</summary>
    private void FindHeaders()
    {
        _isHeader = new bool[_nodes.Count];
        foreach (RegionNode node in _nodes)
        {
            _isHeader[node.Position] |= node.IsIndirectTarget;
            foreach (RegionNode? to in (ReadOnlySpan<RegionNode?>)[node.Next, node.Target])
            {
                if (to is not null && to.Position <= node.Position)
                {
                    _isHeader[to.Position] = true;
                }
            }
        }
    }

    private void EmitNode(RegionNode node)
    {
        MicroOp[] ops = node.Block.Ops;
        _a.Mark(_labels[node.Position]);
        _flags = FlagPlace.Saved;
        if (_isHeader[node.Position])
        {
            _a.Emit(4, 0x83, 7, Operand.State(StateOffsets.CancelRequested));
            _a.Byte(0);
            _a.JumpIf(NotEqual, LeaveAt(RegionExit.Continue, node.Block.Rip, 0));
        }

        // The whole block's instructions are counted when it is entered; who leaves in the middle gives the rest back.
        _a.Emit(8, 0x83, 5, Operand.Of(Host.Budget));
        _a.Byte((byte)ops.Length);
        _a.JumpIf(Negative, LeaveAt(RegionExit.Interpret, node.Block.Rip, ops.Length));
        for (int i = 0; i < ops.Length; i++)
        {
            EmitInstruction(node, ops[i], ops.Length - i - 1);
        }

        if (!OpTable.EndsBlock(node.Last.Op))
        {
            GoTo(node, node.Next, node.Last.NextRip);
        }
    }

    /// <summary>A place out of line at which the region is left.</summary>
    /// <param name="exit">Why.</param>
    /// <param name="rip">Where the guest is then.</param>
    /// <param name="notExecuted">How many instructions of the block were counted and not executed.</param>
    private int LeaveAt(RegionExit exit, ulong rip, int notExecuted)
    {
        int label = _a.NewLabel();
        _outOfLine.Add(() =>
        {
            _a.Mark(label);
            Leave(exit, rip, notExecuted);
        });
        return label;
    }

    /// <summary>Leaves the region. The flags are saved.</summary>
    private void Leave(RegionExit exit, ulong rip, int notExecuted)
    {
        GiveBack(notExecuted);
        LoadConstant(Host.Address, rip);
        LoadConstant(Host.Entry, (ulong)exit);
        _a.Jump(_leave);
    }

    private void GiveBack(int instructions)
    {
        if (instructions != 0)
        {
            _a.Emit(8, 0x83, 0, Operand.Of(Host.Budget));
            _a.Byte((byte)instructions);
        }
    }

    private void LoadConstant(int register, ulong value)
    {
        if (value <= uint.MaxValue)
        {
            _a.EmitShort(4, 0xB8, register);
            _a.Immediate(4, (long)value);
        }
        else if ((long)value == (int)value)
        {
            _a.Emit(8, 0xC7, 0, Operand.Of(register));
            _a.Immediate(4, (long)value);
        }
        else
        {
            _a.EmitShort(8, 0xB8, register);
            _a.Immediate(8, (long)value);
        }
    }
}
