namespace Hyperlight.Emulator.Cpu;

/// <summary>The groups of x87, MMX and SSE instructions, created as <see cref="InstructionGroups"/> are.</summary>
internal sealed unsafe class FloatingPointGroups(ProcessorCore core, PendingEvent pending, LinearMemory memory, Operands operands)
{
    public X87Instructions X87 =>
        field ??= new(core.State, pending, core.X87, X87Transfers, X87Calculations, X87Comparisons, X87Control);

    public MmxInstructions Mmx =>
        field ??= new(core.State, core.Xmm, pending, memory, operands, core.X87, MmxRegisters, MmxConversions);

    public VectorInstructions Vectors =>
        field ??= new(core.State, core.Xmm, pending, VectorOperands, Floats, VectorConversions, VectorMoves, VectorShifts, VectorTests);

    public FxsaveInstructions Fxsave =>
        field ??= new(core.State, core.Xmm, pending, memory, operands, core.X87, core.FloatingPoint);

    public XsaveInstructions Xsave =>
        field ??= new(core.State, core.Registers, core.Xmm, pending, memory, operands, core.X87, core.FloatingPoint);

    private X87Operands X87Operands => field ??= new(memory, operands);

    private X87Transfers X87Transfers => field ??= new(core.Flags, memory, operands, core.X87, X87Operands);

    private X87Calculations X87Calculations => field ??= new(core.State, core.X87, X87Operands);

    private X87Comparisons X87Comparisons => field ??= new(core.Flags, core.X87, X87Operands);

    private X87ControlInstructions X87Control => field ??= new(core.State, memory, operands, core.X87);

    private MmxRegisters MmxRegisters => field ??= new(core.State, memory, operands, core.X87);

    private MmxConversions MmxConversions => field ??= new(core.State, core.Xmm, pending, memory, operands, MmxRegisters);

    private FloatStatus FloatStatus => field ??= new(core.State, core.Xmm, pending);

    private FloatInstructions Floats =>
        field ??= new(core.State, core.Xmm, VectorOperands, FloatStatus, FloatCompares, FloatCombinations);

    private FloatCompares FloatCompares => field ??= new(core.State, core.Xmm, core.Flags, VectorOperands, FloatStatus);

    private FloatCombinations FloatCombinations => field ??= new(core.State, core.Xmm, VectorOperands, FloatStatus);

    private VectorConversions VectorConversions => field ??= new(core.State, operands, VectorOperands, FloatStatus);

    private VectorElements VectorElements => field ??= new(core.Registers, core.Xmm, memory, operands);

    private VectorMoves VectorMoves =>
        field ??= new(core.State, core.Registers, core.Xmm, pending, memory, operands, VectorOperands, VectorElements);

    private VectorShifts VectorShifts => field ??= new(core.Xmm, VectorOperands);

    private VectorTests VectorTests => field ??= new(core.Registers, core.Xmm, core.Flags, memory, operands, VectorOperands);

    private VectorOperands VectorOperands => new(core.Xmm, pending, memory, operands);
}
