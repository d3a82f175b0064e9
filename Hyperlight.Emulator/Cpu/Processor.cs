using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>An x86-64 processor in 64-bit mode: puts its parts together, and runs.</summary>
internal sealed unsafe class Processor : IDisposable
{
    private readonly ProcessorState* _state;
    private readonly ProcessorMemory _native;
    private readonly Tlb _tlb;
    private readonly BlockCache _blocks;
    private readonly PendingEvent _pending = new();
    private readonly Breakpoints _breakpoints;
    private readonly CodeFetcher _fetcher;
    private readonly ExceptionDelivery _delivery;
    private readonly InstructionGroups _groups;
    private readonly SingleStepper _stepper;
    private readonly CompiledCode _compiled;
    private readonly CodeHolder _holder;
    private readonly BlockInterpreter _interpreter;
    private readonly RegionRunner _regions;

    /// <param name="memory">The memory of the guest.</param>
    /// <param name="physicalAddressBits">How many bits a physical address has.</param>
    /// <param name="msrPolicy">Which model-specific registers the guest may access.</param>
    /// <param name="options">The options of the driver.</param>
    /// <param name="seed">With a seed, time is counted in instructions and random numbers are drawn from it.</param>
    /// <param name="code">The compiled code of all machines of the driver.</param>
    /// <param name="decodedCode">Their decoded code.</param>
    /// <param name="native">Memory for the state, which the processor disposes.</param>
    public Processor(
        PhysicalMemory memory,
        byte physicalAddressBits,
        MsrPolicy msrPolicy,
        EmulatorOptions options,
        ulong? seed,
        CodeCache code,
        DecodedCodeCache decodedCode,
        ProcessorMemory native)
    {
        _native = native;
        _state = native.State;
        _tlb = new Tlb(native.SupervisorTranslations, native.UserTranslations);
        _blocks = new BlockCache(options.MostDecodedBytes);
        var registers = new RegisterFile(_state);
        var flags = new Flags(_state);

        // Memory.
        var privilege = new PrivilegeLevel(_state, _tlb, _pending);
        var places = new CodePlacesByPrivilege(_tlb);
        var writes = new WriteObserver(_state, _blocks, memory);
        _breakpoints = new Breakpoints(_state, _tlb, _pending);
        var translation = new AddressTranslation(_state, _tlb, _blocks, memory, physicalAddressBits, _pending, places, writes);
        var linear = new LinearMemory(_state, registers, _tlb, memory, _pending, privilege, writes, _breakpoints, translation);
        var operands = new Operands(_state, registers, linear);

        // Segments, interrupts and exceptions.
        var descriptors = new DescriptorTables(_state, _pending, linear);
        Interrupts = new InterruptWindow(_state);
        var segments = new SegmentLoader(_state, _pending, descriptors, Interrupts);
        var task = new TaskStateSegment(_state, _pending, privilege, linear);
        _fetcher = new CodeFetcher(_state, _tlb, _blocks, memory, seed, decodedCode, _pending, translation);
        _delivery = new ExceptionDelivery(_state, registers, flags, _pending, privilege, linear, operands, descriptors, task, _fetcher);

        // Instructions.
        Clock = new ProcessorClock(_state, seed);
        Registers = new RegisterAccess(_state, registers, _tlb, flags, privilege, _breakpoints);
        _groups = new InstructionGroups(
            _state,
            _tlb,
            _blocks,
            memory,
            physicalAddressBits,
            msrPolicy,
            options,
            seed,
            _pending,
            privilege,
            _breakpoints,
            translation,
            linear,
            descriptors,
            segments,
            task,
            Clock);
        var interpreter = new Interpreter(
            _state, registers, flags, _pending, privilege, places, linear, operands, Interrupts, segments, Clock, _groups);
        _stepper = new SingleStepper(_state, _pending, _breakpoints, _fetcher, interpreter);

        // Compiled code.
        _compiled = new CompiledCode(_tlb, native, places);
        _holder = new CodeHolder(_state, _blocks, code, native, _compiled);
        var verifier = new RegionVerifier(_state, _tlb, _blocks, _pending, places, translation, _fetcher);
        var compiler = new CodeCompiler(_state, _tlb, _blocks, options, code, _fetcher, _compiled, _holder, verifier);
        _interpreter = new BlockInterpreter(_state, options, code, _pending, operands, interpreter, compiler);
        var support = new CodeSupport(_state, _tlb, flags, _pending, linear, operands, interpreter);
        var emitted = new EmittedCodeRunner(_state, _tlb, _blocks, flags, places, _fetcher, _compiled, verifier, support);
        _regions = new RegionRunner(_state, _breakpoints, _fetcher, verifier, _interpreter, support, emitted);
    }

    public RegisterAccess Registers { get; }

    public InterruptWindow Interrupts { get; }

    public ProcessorClock Clock { get; }

    public ModelSpecificRegisters Msrs => _groups.Msrs;

    public PortInstructions Ports => _groups.Ports;

    public FloatingPointImage FloatingPoint => _groups.FloatingPointImage;

    public XsaveInstructions Xsave => _groups.Xsave;

    /// <inheritdoc cref="BlockCache.DecodedSize"/>
    public long DecodedSize => _blocks.DecodedSize;

    /// <inheritdoc cref="BlockCache.CompiledSize"/>
    public long CompiledSize => _blocks.CompiledSize;

    /// <inheritdoc cref="EmittedCodeRunner.CodeEntries"/>
    public long CodeEntries => _regions.Emitted.CodeEntries;

    /// <summary>How many instructions were executed.</summary>
    public long InstructionCount => _state->Executed;

    /// <summary>How many more may be.</summary>
    public long InstructionBudget
    {
        get => _state->ExecutedLimit == long.MaxValue ? long.MaxValue : _state->ExecutedLimit - _state->Executed;
        set => _state->ExecutedLimit = value > long.MaxValue - _state->Executed ? long.MaxValue : _state->Executed + value;
    }

    /// <summary>Asks the run, or the next one, to end.</summary>
    public void Cancel()
    {
        if (_holder.TryHoldMemory())
        {
            Interlocked.Or(ref _state->CancelRequested, ProcessorState.CancelBit);
            _native.DangerousRelease();
        }
    }

    /// <summary>Executes instructions until one, or the host, ends it.</summary>
    public VmExit Run()
    {
        bool isHeld = false;
        try
        {
            _native.DangerousAddRef(ref isHeld);
            return RunHeld();
        }
        finally
        {
            EmittedCodeRunner.EndRun();
            if (isHeld)
            {
                // The code can have been asked for during the run, and there may be no other one.
                _holder.ReleaseUnlessRunning();
                _native.DangerousRelease();
            }
        }
    }

    private VmExit RunHeld()
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
            if (_regions.IsCancelled)
            {
                Interlocked.And(ref _state->CancelRequested, ~ProcessorState.CancelBit);
                return VmExit.Cancelled;
            }

            if (_state->Executed >= _state->ExecutedLimit)
            {
                return VmExit.InstructionBudgetExhausted;
            }

            if (_state->Interrupts.IsWindowWanted && Interrupts.IsInterruptible)
            {
                _state->Interrupts.IsWindowWanted = false;
                return VmExit.InterruptWindow;
            }

            if ((_breakpoints.MustInterpret || Interrupts.MustLeaveShadow() ? _stepper.Step() : ExecuteBlock()) || _delivery.Deliver())
            {
                continue;
            }

            return _pending.Exit;
        }
    }

    /// <summary>Executes the code at RIP, and says whether nothing is _pending.</summary>
    private bool ExecuteBlock() => _fetcher.FindBlock() is not { } block ? _fetcher.CountNotFetched()
        : block.Region is { } region ? _regions.Enter(region, block)
        : _interpreter.Interpret(block);

    /// <summary>Called when the host has replaced a range of memory: what was decoded from it is gone.</summary>
    public void ForgetCode(ulong hostAddress, ulong size)
    {
        using (_holder.Use.EnterScope())
        {
            _blocks.InvalidateRange(hostAddress, size);
        }

        // The code can have been asked for meanwhile.
        _holder.ReleaseUnlessRunning();
    }

    /// <summary>Called when pages that were written do not count as written any more.</summary>
    public void ForgetWrites() => _tlb.ForgetWrites();

    /// <summary>Called when slots change: translations and decoded pages may be of memory that is gone.</summary>
    public void ForgetMemory()
    {
        using Lock.Scope use = _holder.Use.EnterScope();
        _tlb.FlushAll();
        _blocks.Clear();
        _compiled.NoteForgotten();
    }

    /// <summary>Gives the memory back, or lets a run that is under way do it. Only <see cref="Cancel"/> may be called then.</summary>
    public void Dispose() => _native.Dispose();

    /// <summary>Enters the handler of the interrupt. False if there is an exit instead.</summary>
    private bool EnterInterrupt()
    {
        var vector = (byte)_state->Interrupts.Injected;
        _state->Interrupts.Injected = InterruptState.NoVector;
        _pending.Trap(vector, _state->Rip);
        return _delivery.Deliver();
    }
}
