namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Translates a region to machine code of the host. Most instructions are encoded again, with other registers; what touches
/// memory, the flow of control or the count of instructions is rewritten. Where anything but the common case is met, the
/// interpreter executes that one instruction, from its beginning.
/// </summary>
/// <param name="assembler">What the code is written to.</param>
/// <param name="firstPrediction">The first number that the region may use for predictions of its own.</param>
internal sealed partial class RegionEmitter(Assembler assembler, int firstPrediction = 0)
{
    private readonly Assembler _a = assembler;
    private readonly List<EmittedOp> _ops = [];
    private RegisterMap _map = null!;
    private List<RegionNode> _nodes = null!;
    private int[] _labels = [];

    /// <summary>Where the translations are behind the state.</summary>
    private int _translations;
    private int _leave;
    private int _leaveWithoutState;
    private int _leaveInterpreted;
    private int _interpret;
    private int _interpretByte;
    private int _interpretSpan;

    /// <summary>The code of a region.</summary>
    public ReadOnlySpan<byte> Emit(List<RegionNode> nodes, bool isUser, out EmittedLayout layout, out EmittedOp[] ops)
    {
        _a.Reset();
        _ops.Clear();
        _outOfLine.Clear();
        _copies.Clear();
        _mispredictions.Clear();
        (_lookUpRead, _lookUpWrite) = (null, null);
        _nodes = nodes;
        _translations = isUser ? StateOffsets.UserTranslations : StateOffsets.SupervisorTranslations;
        _predictions = isUser ? StateOffsets.UserPredictions : StateOffsets.SupervisorPredictions;
        _map = new RegisterMap(nodes);
        _planner = new SpanPlanner(_map);
        _predictionPlanner = new PredictionPlanner(firstPrediction);
        _flagPlanner = new FlagPlanner(_map);
        (_leave, _leaveWithoutState, _leaveInterpreted) = (_a.NewLabel(), _a.NewLabel(), _a.NewLabel());
        (_interpret, _interpretByte, _interpretSpan, _hasInterpretedSpans) = (_a.NewLabel(), _a.NewLabel(), _a.NewLabel(), false);
        (_linkedEntry, _goOn, _endBudget, _endBudgetWide) = (_a.NewLabel(), _a.NewLabel(), _a.NewLabel(), _a.NewLabel());
        _leaveJumps.Reset(_leaveInterpreted);
        _endJumps.Reset(_endBudget);
        _returns = null;
        _labels = new int[nodes.Count];
        for (int i = 0; i < _labels.Length; i++)
        {
            // A block that continues another one cannot be entered.
            _labels[i] = nodes[i].Continues ? _labels[i - 1] : _a.NewLabel();
        }

        EmitEntry();
        for (int i = 0; i < nodes.Count;)
        {
            i = EmitTrace(i);
        }

        EmitSecondCopies();
        foreach (OutOfLine place in _outOfLine)
        {
            EmitOutOfLine(place);
        }

        EmitReturns();
        EmitMispredictions();
        EmitInterpret();
        EmitLeaveInterpreted();
        EmitEndBudget();
        EmitLink();
        EmitExit();
        ReadOnlySpan<byte> code = _a.Finish();
        for (int i = 0; i < _labels.Length; i++)
        {
            _labels[i] = _a.OffsetOf(_labels[i]);
        }

        layout = new EmittedLayout(_a.OffsetOf(_linkedEntry), _labels, isUser);
        ops = [.. _ops];
        return code;
    }

    /// <summary>Whether the code that was emitted last uses vectors, and floating-point numbers.</summary>
    public (bool Vectors, bool Floats) Uses => (_map.Vectors != 0, _map.UsesFloats);

    /// <summary>Goes on at an address outside the region. The flags are saved.</summary>
    private void GoOn(ulong rip)
    {
        LoadConstant(Host.Address, rip);
        _a.Jump(_goOn);
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
