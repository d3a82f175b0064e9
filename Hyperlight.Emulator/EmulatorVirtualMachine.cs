using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator;

/// <summary>A machine of one processor and the memory mapped into it.</summary>
internal sealed class EmulatorVirtualMachine : IVirtualMachine, IInstructionCounter, IWriteTracker
{
    private readonly PhysicalMemory _memory;
    private readonly Processor _processor;
    private readonly Action<ulong, ulong> _forgetCode;
    private bool _disposed;

    /// <exception cref="GuestMsrException">The processor does not have a register that the policy adds.</exception>
    public EmulatorVirtualMachine(in VirtualMachineOptions machine, EmulatorOptions options, CodeCache code, FilePageStore files)
    {
        _memory = new PhysicalMemory(files);
        ulong? seed = machine.RandomSeed ?? options.RandomSeed;
        _processor = new Processor(_memory, machine.PhysicalAddressBits, machine.Msrs, options, seed, code);
        IsTimeSource = seed is not null;
        _forgetCode = _processor.ForgetCode;
        machine.Msrs.CheckAdditional(EmulatorHypervisor.DriverName, index => _processor.TryReadMsr(index, out _));
        GuestWritableMsrs = machine.Msrs.Restored.Where(index => _processor.TryReadMsr(index, out _)).ToArray();
    }

    /// <inheritdoc cref="Processor.PortWrite"/>
    public (ulong Rip, bool IsString) PortWrite => _processor.PortWrite;

    /// <inheritdoc cref="Processor.StringWrite"/>
    public (ulong Rsi, ulong Rcx, bool IsRepeated) StringWrite => _processor.StringWrite;

    /// <inheritdoc cref="Processor.DecodedSize"/>
    public long DecodedSize => _processor.DecodedSize;

    /// <inheritdoc cref="Processor.CompiledSize"/>
    public long CompiledSize => _processor.CompiledSize;

    public int XsaveSize => Processor.XsaveSize;

    public uint? MemorySlotLimit => null;

    public bool IsTimeSource { get; }

    public long InstructionCount => _processor.InstructionCount;

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
        _processor.ForgetMemory();
    }

    public void UnmapMemory(uint slot)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _memory.Unmap(slot);
        _processor.ForgetMemory();
    }

    /// <inheritdoc/>
    public void ClearWritten(uint slot)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        _processor.ForgetWrites();
        _memory.ClearWritten(slot);
    }

    public VmExit Run()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return _processor.IsInLongMode
            ? _processor.Run()
            : throw new HypervisorException(
                EmulatorHypervisor.DriverName, "Run", 0, "the special registers are not those of 64-bit mode");
    }

    public void Cancel() => _processor.Cancel();

    public GeneralRegisters GetGeneralRegisters() => _processor.General;

    public void SetGeneralRegisters(in GeneralRegisters registers) => _processor.General = registers;

    public SpecialRegisters GetSpecialRegisters() => _processor.Special;

    public void SetSpecialRegisters(in SpecialRegisters registers) => _processor.Special = registers;

    public FpuRegisters GetFpuRegisters() => _processor.Fpu;

    public void SetFpuRegisters(in FpuRegisters registers) => _processor.Fpu = registers;

    public DebugRegisters GetDebugRegisters() => _processor.Debug;

    public void SetDebugRegisters(in DebugRegisters registers) => _processor.Debug = registers;

    public void GetXsave(Span<byte> destination)
    {
        XsaveBuffers.CheckDestination(destination, XsaveSize);
        _processor.GetXsave(destination);
    }

    public void SetXsave(ReadOnlySpan<byte> source)
    {
        XsaveBuffers.CheckSource(source, XsaveSize);
        if (!_processor.TrySetXsave(source))
        {
            throw new HypervisorException(EmulatorHypervisor.DriverName, "SetXsave", 0, "the image's header or MXCSR is invalid");
        }
    }

    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        foreach (ref ModelSpecificRegister register in registers)
        {
            if (!_processor.TryReadMsr(register.Index, out ulong value))
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
            if (!_processor.TryWriteMsr(register.Index, register.Value))
            {
                throw Refused("SetMsrs", register.Index);
            }
        }
    }

    public ReadOnlyMemory<uint> GuestWritableMsrs { get; }

    public ulong GetXcr0() => _processor.Xcr0;

    public void SetXcr0(ulong value)
    {
        if (!_processor.TrySetXcr0(value))
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
        _memory.ForEachWritable(_forgetCode);
        _processor.RestartSources();
    }

    /// <summary>Lets go of the guest's memory.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _processor.ForgetMemory();
            _memory.Dispose();
        }
    }

    private static HypervisorException Refused(string operation, uint index) => new(
        EmulatorHypervisor.DriverName, operation, 0, $"the model-specific register 0x{index:X} does not take or give the value");
}
