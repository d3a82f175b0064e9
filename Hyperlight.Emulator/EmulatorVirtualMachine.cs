using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator;

/// <summary>A machine of one processor and the memory mapped into it.</summary>
internal sealed class EmulatorVirtualMachine : IVirtualMachine, IInstructionCounter, IWriteTracker, IInterruptInjector
{
    /// <summary>What a restore puts back, once for each policy: most machines have the same one.</summary>
    private static readonly ConditionalWeakTable<MsrPolicy, uint[]> RestoredMsrs = [];

    private readonly PhysicalMemory _memory;
    private readonly Processor _processor;
    private bool _disposed;

    /// <exception cref="GuestMsrException">The processor does not have a register that the policy adds.</exception>
    public EmulatorVirtualMachine(in VirtualMachineOptions machine, EmulatorOptions options, CodeCache code, DecodedCodeCache decodedCode, FilePageStore files)
    {
        _memory = new PhysicalMemory(files);
        ulong? seed = machine.RandomSeed ?? options.RandomSeed;
        _processor = new Processor(_memory, machine.PhysicalAddressBits, machine.Msrs, options, seed, code, decodedCode, new ProcessorMemory());
        IsTimeSource = seed is not null;
        if (machine.Msrs.Additional.Count > 0)
        {
            machine.Msrs.CheckAdditional(EmulatorHypervisor.DriverName, index => _processor.Msrs.TryRead(index, out _));
        }

        // The processor has all others that a policy can have.
        GuestWritableMsrs = RestoredMsrs.GetValue(machine.Msrs, static policy => [.. policy.Restored]);
    }

    /// <inheritdoc cref="PortInstructions.PortWrite"/>
    public (ulong Rip, bool IsString) PortWrite => _processor.PortWrite;

    /// <inheritdoc cref="PortInstructions.StringWrite"/>
    public (ulong Rsi, ulong Rcx, bool IsRepeated) StringWrite => _processor.StringWrite;

    /// <inheritdoc cref="Processor.DecodedSize"/>
    public long DecodedSize => _processor.DecodedSize;

    /// <inheritdoc cref="Processor.CompiledSize"/>
    public long CompiledSize => _processor.CompiledSize;

    /// <inheritdoc cref="EmittedCodeRunner.CodeEntries"/>
    public long CodeEntries => _processor.CodeEntries;

    /// <inheritdoc cref="CodeCompiler.CompiledToPredict"/>
    public long CompiledToPredict => _processor.CompiledToPredict;

    public int XsaveSize => FloatingPointImage.XsaveSize;

    public uint? MemorySlotLimit => null;

    public bool IsTimeSource { get; }

    public long InstructionCount => _processor.InstructionCount;

    /// <summary>
    /// The processor, whose registers are not there any more once the machine is disposed. Their memory belongs to it: who uses them keeps it
    /// alive until they were accessed.
    /// </summary>
    private Processor LiveProcessor
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return _processor;
        }
    }

    public long InstructionBudget
    {
        get => _processor.InstructionBudget;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _processor.InstructionBudget = value;
        }
    }

    public void MapMemory(uint slot, in GuestMapping mapping)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        mapping.Validate();
        if (mapping.Region.Handle.IsInvalid && mapping.Region.Kind != MemoryRegionKind.File)
        {
            throw new ArgumentException("The region has no address in this process: it belongs to another driver.", nameof(mapping));
        }

        _memory.Map(slot, in mapping);
        LiveProcessor.ForgetMemory();
    }

    public void UnmapMemory(uint slot)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        try
        {
            _memory.Unmap(slot);
        }
        finally
        {
            // Whatever happened, nothing may lead to memory that is gone.
            LiveProcessor.ForgetMemory();
        }
    }

    /// <inheritdoc/>
    public long WrittenPageCount => _memory.WrittenPageCount;

    /// <inheritdoc/>
    public void ClearWritten(uint slot)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        LiveProcessor.ForgetWrites();
        _memory.ClearWritten(slot);
    }

    public VmExit Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return LiveProcessor.IsInLongMode
            ? LiveProcessor.Run()
            : throw new HypervisorException(
                EmulatorHypervisor.DriverName, "Run", 0, "the special registers are not those of 64-bit mode");
    }

    public void Cancel() => _processor.Cancel();

    public void RequestExit() => _processor.Cancel();

    public bool TryInjectInterrupt(byte vector)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vector, IInterruptInjector.FirstVector);
        bool isInjected = LiveProcessor.Interrupts.TryInject(vector);
        GC.KeepAlive(_processor);
        return isInjected;
    }

    /// <inheritdoc cref="InterruptWindow.IsInShadow"/>
    public bool IsInShadow
    {
        get
        {
            bool isInShadow = LiveProcessor.Interrupts.IsInShadow;
            GC.KeepAlive(_processor);
            return isInShadow;
        }
    }

    /// <inheritdoc cref="InterruptWindow.WantWindow"/>
    public void WantWindow()
    {
        LiveProcessor.Interrupts.WantWindow();
        GC.KeepAlive(_processor);
    }

    public GeneralRegisters GetGeneralRegisters()
    {
        GeneralRegisters registers = LiveProcessor.Registers.GetGeneral();
        GC.KeepAlive(_processor);
        return registers;
    }

    public void SetGeneralRegisters(in GeneralRegisters registers)
    {
        LiveProcessor.Registers.SetGeneral(in registers);
        GC.KeepAlive(_processor);
    }

    public SpecialRegisters GetSpecialRegisters()
    {
        SpecialRegisters registers = LiveProcessor.Registers.GetSpecial();
        GC.KeepAlive(_processor);
        return registers;
    }

    public void SetSpecialRegisters(in SpecialRegisters registers)
    {
        LiveProcessor.Registers.SetSpecial(in registers);
        GC.KeepAlive(_processor);
    }

    public FpuRegisters GetFpuRegisters()
    {
        FpuRegisters registers = LiveProcessor.FloatingPoint.GetRegisters();
        GC.KeepAlive(_processor);
        return registers;
    }

    public void SetFpuRegisters(in FpuRegisters registers)
    {
        LiveProcessor.FloatingPoint.SetRegisters(in registers);
        GC.KeepAlive(_processor);
    }

    public DebugRegisters GetDebugRegisters()
    {
        DebugRegisters registers = LiveProcessor.Registers.GetDebug();
        GC.KeepAlive(_processor);
        return registers;
    }

    public void SetDebugRegisters(in DebugRegisters registers)
    {
        LiveProcessor.Registers.SetDebug(in registers);
        GC.KeepAlive(_processor);
    }

    public void GetXsave(Span<byte> destination)
    {
        XsaveBuffers.CheckDestination(destination, XsaveSize);
        LiveProcessor.FloatingPoint.GetXsave(destination);
        GC.KeepAlive(_processor);
    }

    public void SetXsave(ReadOnlySpan<byte> source)
    {
        XsaveBuffers.CheckSource(source, XsaveSize);
        if (!LiveProcessor.FloatingPoint.TrySetXsave(source))
        {
            throw new HypervisorException(EmulatorHypervisor.DriverName, "SetXsave", 0, "the image's header or MXCSR is invalid");
        }

        GC.KeepAlive(_processor);
    }

    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        foreach (ref ModelSpecificRegister register in registers)
        {
            if (!LiveProcessor.Msrs.TryRead(register.Index, out ulong value))
            {
                throw Refused("GetMsrs", register.Index);
            }

            register = register with { Value = value };
        }

        GC.KeepAlive(_processor);
    }

    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        foreach (ModelSpecificRegister register in registers)
        {
            if (!LiveProcessor.Msrs.TryWrite(register.Index, register.Value))
            {
                throw Refused("SetMsrs", register.Index);
            }
        }

        GC.KeepAlive(_processor);
    }

    public ReadOnlyMemory<uint> GuestWritableMsrs { get; }

    public ulong GetXcr0()
    {
        ulong value = LiveProcessor.Registers.GetXcr0();
        GC.KeepAlive(_processor);
        return value;
    }

    public void SetXcr0(ulong value)
    {
        if (!LiveProcessor.Registers.TrySetXcr0(value))
        {
            throw new HypervisorException(EmulatorHypervisor.DriverName, "SetXcr0", 0, $"XCR0 cannot be 0x{value:X}");
        }

        GC.KeepAlive(_processor);
    }

    /// <summary>
    /// Code that was decoded from memory which the guest can write may not be there any more. With a seed, time and random
    /// numbers begin again.
    /// </summary>
    public void DiscardPendingState()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _memory.ForEachWritable(static (processor, address, size) => processor.ForgetCode(address, size), _processor);
        LiveProcessor.Interrupts.DiscardInterrupts();
        LiveProcessor.Clock.RestartSources();
        GC.KeepAlive(_processor);
    }

    /// <summary>Lets go of the guest's memory.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _processor.ForgetMemory();
            _processor.Dispose();
            _memory.Dispose();
        }
    }

    private static HypervisorException Refused(string operation, uint index) => new(
        EmulatorHypervisor.DriverName, operation, 0, $"the model-specific register 0x{index:X} does not take or give the value");
}
