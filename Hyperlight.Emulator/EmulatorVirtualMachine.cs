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
            machine.Msrs.CheckAdditional(EmulatorHypervisor.DriverName, index => _processor.TryReadMsr(index, out _));
        }

        // The processor has all others that a policy can have.
        GuestWritableMsrs = RestoredMsrs.GetValue(machine.Msrs, static policy => [.. policy.Restored]);
    }

    /// <inheritdoc cref="Processor.PortWrite"/>
    public (ulong Rip, bool IsString) PortWrite => _processor.PortWrite;

    /// <inheritdoc cref="Processor.StringWrite"/>
    public (ulong Rsi, ulong Rcx, bool IsRepeated) StringWrite => _processor.StringWrite;

    /// <inheritdoc cref="Processor.DecodedSize"/>
    public long DecodedSize => _processor.DecodedSize;

    /// <inheritdoc cref="Processor.CompiledSize"/>
    public long CompiledSize => _processor.CompiledSize;

    /// <inheritdoc cref="Processor.CodeEntries"/>
    public long CodeEntries => _processor.CodeEntries;

    /// <inheritdoc cref="Processor.CompiledToPredict"/>
    public long CompiledToPredict => _processor.CompiledToPredict;

    public int XsaveSize => Processor.XsaveSize;

    public uint? MemorySlotLimit => null;

    public bool IsTimeSource { get; }

    public long InstructionCount => _processor.InstructionCount;

    /// <summary>The processor, whose registers are not there any more once the machine is disposed.</summary>
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
        return LiveProcessor.TryInject(vector);
    }

    /// <inheritdoc cref="Processor.IsInShadow"/>
    public bool IsInShadow => LiveProcessor.IsInShadow;

    /// <inheritdoc cref="Processor.WantWindow"/>
    public void WantWindow() => LiveProcessor.WantWindow();

    public GeneralRegisters GetGeneralRegisters() => LiveProcessor.General;

    public void SetGeneralRegisters(in GeneralRegisters registers) => LiveProcessor.General = registers;

    public SpecialRegisters GetSpecialRegisters() => LiveProcessor.Special;

    public void SetSpecialRegisters(in SpecialRegisters registers) => LiveProcessor.Special = registers;

    public FpuRegisters GetFpuRegisters() => LiveProcessor.Fpu;

    public void SetFpuRegisters(in FpuRegisters registers) => LiveProcessor.Fpu = registers;

    public DebugRegisters GetDebugRegisters() => LiveProcessor.Debug;

    public void SetDebugRegisters(in DebugRegisters registers) => LiveProcessor.Debug = registers;

    public void GetXsave(Span<byte> destination)
    {
        XsaveBuffers.CheckDestination(destination, XsaveSize);
        LiveProcessor.GetXsave(destination);
    }

    public void SetXsave(ReadOnlySpan<byte> source)
    {
        XsaveBuffers.CheckSource(source, XsaveSize);
        if (!LiveProcessor.TrySetXsave(source))
        {
            throw new HypervisorException(EmulatorHypervisor.DriverName, "SetXsave", 0, "the image's header or MXCSR is invalid");
        }
    }

    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        foreach (ref ModelSpecificRegister register in registers)
        {
            if (!LiveProcessor.TryReadMsr(register.Index, out ulong value))
            {
                throw Refused("GetMsrs", register.Index);
            }

            register = register with { Value = value };
        }
    }

    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        foreach (ModelSpecificRegister register in registers)
        {
            if (!LiveProcessor.TryWriteMsr(register.Index, register.Value))
            {
                throw Refused("SetMsrs", register.Index);
            }
        }
    }

    public ReadOnlyMemory<uint> GuestWritableMsrs { get; }

    public ulong GetXcr0() => LiveProcessor.Xcr0;

    public void SetXcr0(ulong value)
    {
        if (!LiveProcessor.TrySetXcr0(value))
        {
            throw new HypervisorException(EmulatorHypervisor.DriverName, "SetXcr0", 0, $"XCR0 cannot be 0x{value:X}");
        }
    }

    /// <summary>
    /// Code that was decoded from memory which the guest can write may not be there any more. With a seed, time and random
    /// numbers begin again.
    /// </summary>
    public void DiscardPendingState()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _memory.ForEachWritable(static (processor, address, size) => processor.ForgetCode(address, size), _processor);
        LiveProcessor.DiscardInterrupts();
        LiveProcessor.RestartSources();
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
