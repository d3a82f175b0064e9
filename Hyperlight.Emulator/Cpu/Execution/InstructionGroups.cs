using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The groups of instructions, each of which is a type of its own. One is created when it is first used: most guests do not use all.</summary>
internal sealed unsafe class InstructionGroups(
    ProcessorState* state,
    Tlb tlb,
    BlockCache blocks,
    PhysicalMemory physicalMemory,
    byte physicalAddressBits,
    MsrPolicy msrPolicy,
    EmulatorOptions options,
    ulong? seed,
    PendingEvent pending,
    PrivilegeLevel privilege,
    Breakpoints breakpoints,
    AddressTranslation translation,
    LinearMemory memory,
    DescriptorTables descriptors,
    SegmentLoader segments,
    TaskStateSegment task,
    ProcessorClock clock)
{
    private readonly RegisterFile _registers = new(state);
    private readonly XmmFile _xmm = new(state);
    private readonly Flags _flags = new(state);
    private readonly Operands _operands = new(state, new RegisterFile(state), memory);

    public BranchInstructions Branches => field ??= new(state, _registers, _flags, pending, memory);

    public StackInstructions Stack => field ??= new(_registers, pending, memory, _operands);

    public ArithmeticInstructions Arithmetic => field ??= new(_flags, _operands);

    public ExchangeInstructions Exchanges => field ??= new(_registers, _flags, pending, memory, _operands);

    public ShiftInstructions Shifts => field ??= new(_registers, _flags, _operands);

    public MultiplyInstructions Multiplication => field ??= new(_registers, _flags, pending, _operands);

    public BitInstructions Bits => field ??= new(_registers, _flags, memory, _operands);

    public PortInstructions Ports => field ??= new(_registers, pending, memory, task);

    public StringInstructions Strings =>
        field ??= new(state, _registers, tlb, blocks, physicalMemory, options, _flags, breakpoints, translation, memory, _operands, Ports);

    public FlagInstructions Flags => field ??= new(state, _flags, privilege, memory);

    public ControlRegisterInstructions Control => field ??= new(state, _registers, tlb, pending, translation);

    public SystemCallInstructions SystemCalls => field ??= new(state, _registers, _flags, pending, privilege, _operands, Unsupported);

    public ModelSpecificRegisters Msrs =>
        field ??= new(state, _registers, tlb, msrPolicy, options, pending, translation, _operands, clock);

    public ProcessorIdentification Identification => field ??= new(state, _registers, physicalAddressBits, seed, _flags, _operands, clock);

    public DebugInstructions Debug => field ??= new(state, _registers, pending, breakpoints);

    public SegmentInstructions Segments => field ??= new(_registers, pending, memory, _operands, segments);

    public DescriptorInstructions Descriptors => field ??= new(state, _flags, pending, memory, _operands, descriptors);

    public FarTransfers FarTransfers =>
        field ??= new(state, _registers, pending, privilege, breakpoints, memory, _operands, descriptors, segments, task, Unsupported, Branches, Flags);

    public FxsaveInstructions Fxsave => field ??= new(state, _xmm, pending, memory, _operands, X87Registers, FloatingPointImage);

    public XsaveInstructions Xsave => field ??= new(state, _registers, _xmm, pending, memory, _operands, X87Registers, FloatingPointImage);

    public FloatingPointImage FloatingPointImage => field ??= new(state, _xmm, X87Registers, X87Control);

    public X87Instructions X87 => field ??= new(state, pending, X87Registers, X87Transfers, X87Calculations, X87Comparisons, X87Control);

    public MmxInstructions Mmx => field ??= new(state, _xmm, pending, memory, _operands, X87Registers, MmxRegisters, MmxConversions);

    public VectorInstructions Vectors =>
        field ??= new(state, _xmm, pending, VectorOperands, Floats, VectorConversions, VectorMoves, VectorShifts, VectorTests);

    private UnsupportedInstructions Unsupported => field ??= new(pending, memory);

    private X87Registers X87Registers => field ??= new(state, _operands);

    private X87Operands X87Operands => field ??= new(memory, _operands);

    private X87Transfers X87Transfers => field ??= new(_flags, memory, _operands, X87Registers, X87Operands);

    private X87Calculations X87Calculations => field ??= new(state, X87Registers, X87Operands);

    private X87Comparisons X87Comparisons => field ??= new(_flags, X87Registers, X87Operands);

    private X87ControlInstructions X87Control => field ??= new(state, memory, _operands, X87Registers);

    private MmxRegisters MmxRegisters => field ??= new(state, memory, _operands, X87Registers);

    private MmxConversions MmxConversions => field ??= new(state, _xmm, pending, memory, _operands, MmxRegisters);

    private FloatStatus FloatStatus => field ??= new(state, _xmm, pending);

    private FloatInstructions Floats => field ??= new(state, _xmm, VectorOperands, FloatStatus, FloatCompares, FloatCombinations);

    private FloatCompares FloatCompares => field ??= new(state, _xmm, _flags, VectorOperands, FloatStatus);

    private FloatCombinations FloatCombinations => field ??= new(state, _xmm, VectorOperands, FloatStatus);

    private VectorConversions VectorConversions => field ??= new(state, _operands, VectorOperands, FloatStatus);

    private VectorElements VectorElements => field ??= new(_registers, _xmm, memory, _operands);

    private VectorMoves VectorMoves => field ??= new(state, _registers, _xmm, pending, memory, _operands, VectorOperands, VectorElements);

    private VectorShifts VectorShifts => field ??= new(_xmm, VectorOperands);

    private VectorTests VectorTests => field ??= new(_registers, _xmm, _flags, memory, _operands, VectorOperands);

    private VectorOperands VectorOperands => new(_xmm, pending, memory, _operands);
}
