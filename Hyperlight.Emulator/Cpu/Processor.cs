using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>An x86-64 processor in 64-bit mode, as its machine uses it.</summary>
internal sealed unsafe class Processor : IDisposable
{
    private readonly ProcessorCore _core;
    private ExecutionUnit? _execution;

    /// <summary>How many instructions may have been executed when a run has to end.</summary>
    private long _executedLimit = long.MaxValue;

    /// <summary>How many had been when the last run ended. The state has the present number, but is gone once the machine is disposed.</summary>
    private long _executedInRuns;
    private volatile bool _isRunning;

    /// <param name="memory">The memory of the guest.</param>
    /// <param name="physicalAddressBits">How many bits a physical address has.</param>
    /// <param name="msrPolicy">Which model-specific registers the guest may access.</param>
    /// <param name="options">The options of the driver.</param>
    /// <param name="seed">With a seed, time is counted in instructions, and random numbers follow from it.</param>
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
        ProcessorMemory native) =>
        _core = new ProcessorCore(memory, physicalAddressBits, msrPolicy, options, seed, code, decodedCode, native);

    /// <summary>Registers. All that give access to the state need the processor to be kept alive.</summary>
    public RegisterAccess Registers => new(_core.State, _core.Tlb);

    public ModelSpecificRegisters Msrs => _core.Msrs;

    public FloatingPointImage FloatingPoint => _core.FloatingPoint;

    public InterruptWindow Interrupts => new(_core.State);

    public ProcessorClock Clock => _core.Clock;

    /// <inheritdoc cref="PortInstructions.PortWrite"/>
    public (ulong Rip, bool IsString) PortWrite => _execution?.Ports.PortWrite ?? default;

    /// <inheritdoc cref="PortInstructions.StringWrite"/>
    public (ulong Rsi, ulong Rcx, bool IsRepeated) StringWrite => _execution?.Ports.StringWrite ?? default;

    /// <inheritdoc cref="BlockCache.DecodedSize"/>
    public long DecodedSize => _core.Blocks.DecodedSize;

    /// <inheritdoc cref="BlockCache.CompiledSize"/>
    public long CompiledSize => _core.Blocks.CompiledSize;

    /// <inheritdoc cref="EmittedCodeRunner.CodeEntries"/>
    public long CodeEntries => _execution?.CodeEntries ?? 0;

    /// <inheritdoc cref="CodeCompiler.CompiledToPredict"/>
    public long CompiledToPredict => _execution?.CompiledToPredict ?? 0;

    /// <summary>How many instructions were executed. Another thread can ask while the processor runs.</summary>
    public long InstructionCount
    {
        get
        {
            if (!_isRunning || !_core.Holder.TryHoldMemory())
            {
                return Volatile.Read(ref _executedInRuns);
            }

            long executed = Volatile.Read(ref _core.State->Executed);
            _core.Native.DangerousRelease();
            return executed;
        }
    }

    /// <summary>How many more may be.</summary>
    public long InstructionBudget
    {
        get => _executedLimit == long.MaxValue ? long.MaxValue : _executedLimit - InstructionCount;
        set => _executedLimit = value > long.MaxValue - InstructionCount ? long.MaxValue : InstructionCount + value;
    }

    /// <summary>Whether the registers put the processor into 64-bit mode, the only one it has.</summary>
    public bool IsInLongMode
    {
        get
        {
            bool isInLongMode = Registers.IsInLongMode;
            GC.KeepAlive(this);
            return isInLongMode;
        }
    }

    /// <summary>Asks the run, or the next one, to end.</summary>
    public void Cancel()
    {
        if (_core.Holder.TryHoldMemory())
        {
            Interlocked.Or(ref _core.State->CancelRequested, ProcessorState.CancelBit);
            _core.Native.DangerousRelease();
        }
    }

    /// <summary>Executes instructions until one, or the host, ends it.</summary>
    public VmExit Run()
    {
        bool isHeld = false;
        try
        {
            _core.Native.DangerousAddRef(ref isHeld);
            _core.State->ExecutedLimit = _executedLimit;
            _isRunning = true;
            return (_execution ??= new ExecutionUnit(_core)).Run();
        }
        finally
        {
            if (isHeld)
            {
                Volatile.Write(ref _executedInRuns, _core.State->Executed);
                _isRunning = false;

                // The code can have been asked for during the run, and there may be no other one.
                _core.Holder.ReleaseUnlessRunning();
                _core.Native.DangerousRelease();
            }
        }
    }

    /// <summary>Called when the host has replaced a range of memory: what was decoded from it is gone.</summary>
    public void ForgetCode(ulong hostAddress, ulong size)
    {
        using (_core.Holder.Use.EnterScope())
        {
            _core.Blocks.InvalidateRange(hostAddress, size);
        }

        // The code can have been asked for meanwhile.
        _core.Holder.ReleaseUnlessRunning();
    }

    /// <summary>Called when pages that were written do not count as written any more.</summary>
    public void ForgetWrites() => _core.Tlb.ForgetWrites();

    /// <summary>Called when slots change: translations and decoded pages may be of memory that is gone.</summary>
    public void ForgetMemory()
    {
        using Lock.Scope use = _core.Holder.Use.EnterScope();
        _core.Tlb.FlushAll();
        _core.Blocks.Clear();
        _core.Compiled.NoteForgotten();
    }

    /// <summary>Gives the memory back, or lets a run that is under way do it. Only <see cref="Cancel"/> may be called then.</summary>
    public void Dispose() => _core.Native.Dispose();
}
