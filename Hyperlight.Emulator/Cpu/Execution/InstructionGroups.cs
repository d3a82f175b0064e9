namespace Hyperlight.Emulator.Cpu;

/// <summary>The groups of instructions. One is created when it is first used: most guests do not use all.</summary>
internal sealed unsafe class InstructionGroups(
    ProcessorCore core,
    PendingEvent pending,
    AddressTranslation translation,
    LinearMemory memory,
    Operands operands,
    DescriptorTables descriptors,
    SegmentLoader segments,
    TaskStateSegment task)
{
    public BranchInstructions Branches => field ??= new(core.State, core.Registers, core.Flags, pending, memory);

    public StackInstructions Stack => field ??= new(core.Registers, pending, memory, operands);

    public ArithmeticInstructions Arithmetic => field ??= new(core.Flags, operands);

    public ExchangeInstructions Exchanges => field ??= new(core.Registers, core.Flags, pending, memory, operands);

    public ShiftInstructions Shifts => field ??= new(core.Registers, core.Flags, operands);

    public MultiplyInstructions Multiplication => field ??= new(core.Registers, core.Flags, pending, operands);

    public BitInstructions Bits => field ??= new(core.Registers, core.Flags, memory, operands);

    public PortInstructions Ports => field ??= new(core.Registers, pending, memory, task);

    public StringInstructions Strings =>
        field ??= new(
            core.State, core.Registers, core.Tlb, core.Blocks, core.Memory, core.Options, core.Flags, core.Breakpoints,
            translation, memory, operands, Ports);

    public FlagInstructions Flags => field ??= new(core.State, core.Flags, core.Privilege, memory);

    public ControlRegisterInstructions Control => field ??= new(core.State, core.Registers, core.Tlb, pending, translation);

    public SystemCallInstructions SystemCalls =>
        field ??= new(core.State, core.Registers, core.Flags, pending, core.Privilege, operands, Unsupported);

    public MsrInstructions Msrs => field ??= new(core.Registers, core.MsrPolicy, core.Options, pending, operands, core.Msrs);

    public ProcessorIdentification Identification =>
        field ??= new(core.State, core.Registers, core.PhysicalAddressBits, core.Seed, core.Flags, operands, core.Clock);

    public DebugInstructions Debug =>
        field ??= new(core.State, core.Registers, pending, core.Breakpoints, new DebugException(core.State, pending));

    public SegmentInstructions Segments => field ??= new(core.Registers, pending, memory, operands, segments);

    public DescriptorInstructions Descriptors => field ??= new(core.State, core.Flags, pending, memory, operands, descriptors);

    public FarTransfers FarTransfers =>
        field ??= new(
            core.State, core.Registers, pending, core.Privilege, core.Breakpoints, memory, operands, descriptors, segments,
            task, Unsupported, Branches, Flags);

    public FloatingPointGroups FloatingPoint => field ??= new(core, pending, memory, operands);

    private UnsupportedInstructions Unsupported => field ??= new(pending, memory);
}
