using Hyperlight.Abstractions;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Executes instructions: puts the parts together that do it, and chooses what is done next.</summary>
internal sealed unsafe class ExecutionUnit
{
    private readonly ProcessorState* _state;
    private readonly PendingEvent _pending = new();
    private readonly Breakpoints _breakpoints;
    private readonly InterruptWindow _interrupts;
    private readonly CodeHolder _holder;
    private readonly CodeFetcher _fetcher;
    private readonly ExceptionDelivery _delivery;
    private readonly SingleStepper _stepper;
    private readonly BlockInterpreter _blocks;
    private readonly CodeCompiler _compiler;
    private readonly RegionRunner _regions;

    public ExecutionUnit(ProcessorCore core)
    {
        ProcessorState* state = _state = core.State;
        RegisterFile registers = core.Registers;
        Flags flags = core.Flags;
        Tlb tlb = core.Tlb;
        PrivilegeLevel privilege = core.Privilege;
        Breakpoints breakpoints = _breakpoints = core.Breakpoints;
        _interrupts = core.Interrupts;
        _holder = core.Holder;

        var writes = new WriteObserver(state, core.Blocks, core.Memory);
        var translation = new AddressTranslation(
            state, tlb, core.Blocks, core.Memory, core.PhysicalAddressBits, _pending, core.Places, writes);
        var memory = new LinearMemory(state, registers, tlb, core.Memory, _pending, privilege, writes, breakpoints, translation);
        var operands = new Operands(state, registers, memory);

        var descriptors = new DescriptorTables(state, _pending, memory);
        var segments = new SegmentLoader(state, _pending, descriptors, _interrupts);
        var task = new TaskStateSegment(state, _pending, privilege, memory);
        var fetcher = _fetcher = new CodeFetcher(state, tlb, core.Blocks, core.Memory, core.Options, core.Seed, core.DecodedCode, _pending, translation);
        _delivery = new ExceptionDelivery(
            state, registers, flags, _pending, privilege, memory, operands, descriptors, task, fetcher);

        var groups = new InstructionGroups(core, _pending, translation, memory, operands, descriptors, segments, task);
        var interpreter = new Interpreter(
            state, registers, flags, _pending, privilege, core.Places, memory, operands, _interrupts, segments, core.Clock, groups);
        _stepper = new SingleStepper(state, _pending, breakpoints, new DebugException(state, _pending), fetcher, interpreter);
        Ports = groups.Ports;

        var verifier = new RegionVerifier(tlb, core.Blocks, core.Places, translation, fetcher);
        CodeCompiler compiler = _compiler = new CodeCompiler(state, tlb, core.Blocks, core.Options, core.Code, fetcher, core.Compiled, _holder, verifier);
        _blocks = new BlockInterpreter(state, core.Options, core.Code, _pending, operands, interpreter, compiler);
        var support = new CodeSupport(state, tlb, flags, _pending, memory, operands, interpreter);
        var emitted = new EmittedCodeRunner(state, tlb, core.Blocks, flags, core.Places, fetcher, core.Compiled, verifier, support);
        _regions = new RegionRunner(state, breakpoints, fetcher, verifier, compiler, _blocks, support, emitted);
    }

    public PortInstructions Ports { get; }

    /// <inheritdoc cref="EmittedCodeRunner.CodeEntries"/>
    public long CodeEntries => _regions.Emitted.CodeEntries;

    /// <inheritdoc cref="CodeCompiler.CompiledToPredict"/>
    public long CompiledToPredict => _compiler.CompiledToPredict;

    /// <summary>Executes instructions until one, or the host, ends it. The memory of the state is held meanwhile.</summary>
    public VmExit Run()
    {
        using Lock.Scope use = _holder.Use.EnterScope();

        // The host may have written over code since the last run.
        _fetcher.Run++;
        if (_state->Interrupts.Injected != InterruptState.NoVector && !EnterInterrupt())
        {
            return _pending.Exit;
        }

        while (true)
        {
            _holder.ReleaseIfWanted();
            if (_state->IsCancelled)
            {
                Interlocked.And(ref _state->CancelRequested, ~ProcessorState.CancelBit);
                return VmExit.Cancelled;
            }

            if (_state->Executed >= _state->ExecutedLimit)
            {
                return VmExit.InstructionBudgetExhausted;
            }

            if (_state->Interrupts.IsWindowWanted && _interrupts.IsInterruptible)
            {
                _state->Interrupts.IsWindowWanted = false;
                return VmExit.InterruptWindow;
            }

            if ((_breakpoints.MustInterpret || _interrupts.MustLeaveShadow() ? _stepper.Step() : ExecuteBlock()) || _delivery.Deliver())
            {
                continue;
            }

            return _pending.Exit;
        }
    }

    /// <summary>Executes the code at RIP, and says whether nothing is pending.</summary>
    private bool ExecuteBlock() => _fetcher.FindBlock() is not { } block ? _fetcher.CountNotFetched()
        : block.Region is { } region ? _regions.Enter(region, block)
        : _blocks.Interpret(block);

    /// <summary>Enters the handler of the interrupt. False if there is an exit instead.</summary>
    private bool EnterInterrupt()
    {
        var vector = (byte)_state->Interrupts.Injected;
        _state->Interrupts.Injected = InterruptState.NoVector;
        _pending.Trap(vector, _state->Rip);
        return _delivery.Deliver();
    }
}
