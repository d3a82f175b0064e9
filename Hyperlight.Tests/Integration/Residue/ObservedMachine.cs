using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>Passes everything on to a machine, and reads its whole state when its guest is entered.</summary>
internal class ObservedMachine(IVirtualMachine machine) : IVirtualMachine
{
    private bool _isArmed;

    /// <summary>The machine's state when the guest was entered first after <see cref="Arm"/>.</summary>
    public SortedDictionary<string, object> StateAtEntry { get; private set; } = [];

    /// <summary>The machine itself.</summary>
    public IVirtualMachine Inner => machine;

    public int XsaveSize => machine.XsaveSize;

    public uint? MemorySlotLimit => machine.MemorySlotLimit;

    public ReadOnlyMemory<uint> GuestWritableMsrs => machine.GuestWritableMsrs;

    /// <summary>Has the state read at the next entry.</summary>
    public void Arm() => _isArmed = true;

    public VmExit Run()
    {
        if (_isArmed)
        {
            _isArmed = false;
            StateAtEntry = MachineState.Read(machine);
        }

        return machine.Run();
    }

    public void Cancel() => machine.Cancel();

    public void MapMemory(uint slot, in GuestMapping mapping) => machine.MapMemory(slot, in mapping);

    public void UnmapMemory(uint slot) => machine.UnmapMemory(slot);

    public GeneralRegisters GetGeneralRegisters() => machine.GetGeneralRegisters();

    public void SetGeneralRegisters(in GeneralRegisters registers) => machine.SetGeneralRegisters(in registers);

    public SpecialRegisters GetSpecialRegisters() => machine.GetSpecialRegisters();

    public void SetSpecialRegisters(in SpecialRegisters registers) => machine.SetSpecialRegisters(in registers);

    public FpuRegisters GetFpuRegisters() => machine.GetFpuRegisters();

    public void SetFpuRegisters(in FpuRegisters registers) => machine.SetFpuRegisters(in registers);

    public DebugRegisters GetDebugRegisters() => machine.GetDebugRegisters();

    public void SetDebugRegisters(in DebugRegisters registers) => machine.SetDebugRegisters(in registers);

    public void GetXsave(Span<byte> destination) => machine.GetXsave(destination);

    public void SetXsave(ReadOnlySpan<byte> source) => machine.SetXsave(source);

    public void GetMsrs(Span<ModelSpecificRegister> registers) => machine.GetMsrs(registers);

    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers) => machine.SetMsrs(registers);

    public ulong GetXcr0() => machine.GetXcr0();

    public void SetXcr0(ulong value) => machine.SetXcr0(value);

    public void DiscardPendingState() => machine.DiscardPendingState();

    public void Dispose() => machine.Dispose();
}

/// <summary>A machine that also counts instructions and knows what was written.</summary>
internal sealed class ObservedEmulator(IVirtualMachine machine) : ObservedMachine(machine), IInstructionCounter, IWriteTracker
{
    public long InstructionCount => ((IInstructionCounter)Inner).InstructionCount;

    public long InstructionBudget
    {
        get => ((IInstructionCounter)Inner).InstructionBudget;
        set => ((IInstructionCounter)Inner).InstructionBudget = value;
    }

    public void ClearWritten(uint slot) => ((IWriteTracker)Inner).ClearWritten(slot);
}
