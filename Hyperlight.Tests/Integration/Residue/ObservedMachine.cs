using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Passes everything on to a machine, reads its whole state when its guest is entered, and knows what is mapped into it and
/// which exits there were.
/// </summary>
internal class ObservedMachine(IVirtualMachine machine) : IVirtualMachine
{
    private readonly SortedDictionary<uint, GuestMapping> _mappings = [];
    private readonly HashSet<VmExitReason> _exits = [];
    private bool _isArmed;
    private Exception? _failure;

    /// <summary>What is mapped.</summary>
    public IEnumerable<GuestMapping> Mappings => _mappings.Values;

    /// <summary>Every reason for which the guest has left so far.</summary>
    public IReadOnlySet<VmExitReason> Exits => _exits;

    /// <summary>How often the guest has left.</summary>
    public int ExitCount { get; private set; }

    /// <summary>The machine's state when the guest was entered first after <see cref="Arm"/>.</summary>
    public SortedDictionary<string, object> StateAtEntry { get; private set; } = [];

    /// <summary>The machine itself.</summary>
    public IVirtualMachine Inner => machine;

    public int XsaveSize => machine.XsaveSize;

    public uint? MemorySlotLimit => machine.MemorySlotLimit;

    public ReadOnlyMemory<uint> GuestWritableMsrs => machine.GuestWritableMsrs;

    /// <summary>Has the state read at the next entry.</summary>
    public void Arm() => _isArmed = true;

    /// <summary>Has the next exit replaced by a failure of the driver.</summary>
    public void FailAtNextExit(Exception failure) => _failure = failure;

    /// <summary>The machine's registers and memory.</summary>
    public SortedDictionary<string, object> ReadState()
    {
        SortedDictionary<string, object> state = MachineState.Read(machine);
        MemoryState.AddTo(state, Mappings);
        return state;
    }

    public virtual VmExit Run()
    {
        if (_isArmed)
        {
            _isArmed = false;
            StateAtEntry = ReadState();
        }

        VmExit exit = machine.Run();
        if (_failure is { } failure)
        {
            _failure = null;
            throw failure;
        }

        ExitCount++;
        _exits.Add(exit.Reason);
        return exit;
    }

    public void Cancel() => machine.Cancel();

    public void MapMemory(uint slot, in GuestMapping mapping)
    {
        machine.MapMemory(slot, in mapping);
        _mappings.Add(slot, mapping);
    }

    public void UnmapMemory(uint slot)
    {
        machine.UnmapMemory(slot);
        _mappings.Remove(slot);
    }

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
    public bool IsTimeSource => ((IInstructionCounter)Inner).IsTimeSource;

    public long InstructionCount => ((IInstructionCounter)Inner).InstructionCount;

    public long InstructionBudget
    {
        get => ((IInstructionCounter)Inner).InstructionBudget;
        set => ((IInstructionCounter)Inner).InstructionBudget = value;
    }

    public long WrittenPageCount => ((IWriteTracker)Inner).WrittenPageCount;

    public void ClearWritten(uint slot) => ((IWriteTracker)Inner).ClearWritten(slot);
}
