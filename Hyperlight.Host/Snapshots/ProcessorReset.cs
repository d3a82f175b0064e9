using Hyperlight.Abstractions;

namespace Hyperlight.Host.Snapshots;

/// <summary>Captures and replaces the state of one vCPU, of which it knows what it was before a guest ran.</summary>
internal sealed class ProcessorReset
{
    // The adjustment of the time-stamp counter is the machine's: a snapshot of another machine says nothing about it.
    private const uint TimeStampAdjustment = 0x3B;
    private const uint TimeStampCounter = 0x10;

    /// <summary>As many registers are read to the stack: drivers that can deny registers to guests have fewer.</summary>
    private const int MostOnStack = 32;

    private readonly IVirtualMachine _machine;

    /// <summary>What writes all registers in one call; <see langword="null"/> if nothing does.</summary>
    private readonly IRegisterBatch? _batch;
    private readonly MsrPolicy _policy;
    private readonly string _driver;
    private readonly DebugRegisters _freshDebug;
    private readonly ulong _freshXcr0;
    private readonly ModelSpecificRegister[] _fresh;

    /// <summary>What is put back: <see cref="_fresh"/>, or <see cref="_ofSnapshot"/> where a snapshot has other values.</summary>
    private ModelSpecificRegister[] _target;
    private ModelSpecificRegister[]? _ofSnapshot;
    private ModelSpecificRegister[]? _current;
    private IReadOnlyList<ModelSpecificRegister>? _targetOf;

    /// <summary>The counter never goes back, so that this has to be done once for each state.</summary>
    private ProcessorState? _timeStampOf;

    /// <summary>Discarding what is pending begins the counter again: it is set for each restore, to what the snapshot says.</summary>
    private readonly bool _isCounterRestarted;

    /// <param name="driver">The driver's name, for errors.</param>
    /// <param name="machine">A machine whose guest has not run.</param>
    /// <param name="policy">What the guest may use.</param>
    /// <exception cref="HypervisorException">The hypervisor does not say what its registers are.</exception>
    public ProcessorReset(string driver, IVirtualMachine machine, MsrPolicy policy)
    {
        _machine = machine;
        _batch = machine as IRegisterBatch;
        _isCounterRestarted = machine is IInstructionCounter { IsTimeSource: true };
        _policy = policy;
        _driver = driver;
        _freshDebug = machine.GetDebugRegisters();
        _freshXcr0 = machine.GetXcr0();
        ReadOnlySpan<uint> indices = machine.GuestWritableMsrs.Span;
        _target = _fresh = new ModelSpecificRegister[indices.Length];
        for (int i = 0; i < indices.Length; i++)
        {
            _fresh[i] = new ModelSpecificRegister(indices[i]);
        }

        ReadMsrs(_fresh);
    }

    /// <summary>A machine with none that a guest can write has no model-specific registers at all: SWAPGS writes one.</summary>
    private bool HasMsrs => _fresh.Length > 0;

    /// <summary>Captures what a snapshot keeps.</summary>
    /// <exception cref="HypervisorException">A call of the hypervisor failed.</exception>
    public ProcessorState Capture(ulong dispatchAddress, ulong stackPointer)
    {
        Span<ModelSpecificRegister> current = _fresh.Length <= MostOnStack ? stackalloc ModelSpecificRegister[MostOnStack] : CurrentArray();
        current = current[.._fresh.Length];
        ReadCurrent(current);
        var changed = new List<ModelSpecificRegister>();
        for (int i = 0; i < current.Length; i++)
        {
            if (IsPartOfSnapshots(current[i], _fresh[i]))
            {
                changed.Add(current[i]);
            }
        }

        return new ProcessorState(dispatchAddress, stackPointer, _machine.GetSpecialRegisters(), _machine.GetXcr0(), changed, ReadTimeStamp(current));
    }

    /// <summary>Gets ready to apply a state, and finds out whether that is possible. Changes nothing.</summary>
    /// <exception cref="SnapshotMismatchException">The state holds a register that this hypervisor does not have.</exception>
    public void Prepare(ProcessorState state) => UseTarget(state.Msrs);

    /// <summary>
    /// Makes the vCPU what it was when the state was captured, whatever a guest has done to it since. General and FPU
    /// registers are those of the next call, which sets all of them.
    /// </summary>
    /// <param name="state">The state.</param>
    /// <param name="pageTableAddress">CR3.</param>
    /// <exception cref="SnapshotMismatchException">The state holds a register that this hypervisor does not have.</exception>
    /// <exception cref="HypervisorException">The hypervisor refused; the state is unknown.</exception>
    public void Apply(ProcessorState state, ulong pageTableAddress)
    {
        UseTarget(state.Msrs);
        Span<ModelSpecificRegister> current = _fresh.Length <= MostOnStack ? stackalloc ModelSpecificRegister[MostOnStack] : CurrentArray();
        current = current[.._fresh.Length];
        ReadCurrent(current);
        Span<ModelSpecificRegister> changed = FindChanged(current);

        _batch?.BeginRegisterBatch();
        _machine.DiscardPendingState();
        _machine.SetDebugRegisters(_freshDebug);
        WriteMsrs(changed);
        _machine.SetXcr0(state.Xcr0 ?? _freshXcr0);
        _machine.SetSpecialRegisters(state.Special with { Cr3 = pageTableAddress });
        _batch?.EndRegisterBatch();

        CheckWritten(changed);
        AdvanceTimeStamp(state);
    }

    /// <summary>What differs from a fresh machine, and what the application has named, whatever its value.</summary>
    private bool IsPartOfSnapshots(ModelSpecificRegister current, ModelSpecificRegister fresh) =>
        current.Index != TimeStampAdjustment && (current != fresh || _policy.Additional.Contains(current.Index));

    /// <summary>The counter, without what a guest that can write it has added, which is no time that has passed.</summary>
    private ulong? ReadTimeStamp(ReadOnlySpan<ModelSpecificRegister> current)
    {
        if (!HasMsrs)
        {
            return null;
        }

        int adjustment = Array.FindIndex(_fresh, static r => r.Index == TimeStampAdjustment);
        ulong added = adjustment < 0 ? 0 : current[adjustment].Value - _fresh[adjustment].Value;
        return ReadCounter() - added;
    }

    /// <summary>
    /// Of a new machine the counter may begin anywhere. It must not run backwards for a guest that goes on from a snapshot.
    /// </summary>
    private void AdvanceTimeStamp(ProcessorState state)
    {
        if (ReferenceEquals(_timeStampOf, state) && !_isCounterRestarted)
        {
            return;
        }

        if (HasMsrs && state.TimeStamp is { } least && MustSetCounter(least))
        {
            _machine.SetMsrs([new ModelSpecificRegister(TimeStampCounter, least)]);
            KeepAdjustment();
        }

        _timeStampOf = state;
    }

    private bool MustSetCounter(ulong least)
    {
        ulong counter = ReadCounter();
        return _isCounterRestarted ? counter != least : counter < least;
    }

    /// <summary>Where the adjustment is what the counter is set by, putting back the old one would set the counter back.</summary>
    private void KeepAdjustment()
    {
        int adjustment = Array.FindIndex(_fresh, static r => r.Index == TimeStampAdjustment);
        if (adjustment >= 0)
        {
            _machine.GetMsrs(_fresh.AsSpan(adjustment, 1));
            _target[adjustment] = _fresh[adjustment];
        }
    }

    private ulong ReadCounter()
    {
        Span<ModelSpecificRegister> counter = [new(TimeStampCounter)];
        _machine.GetMsrs(counter);
        return counter[0].Value;
    }

    private ModelSpecificRegister[] CurrentArray() => _current ??= new ModelSpecificRegister[_fresh.Length];

    /// <summary>Reads the registers that a guest can have written.</summary>
    private void ReadCurrent(Span<ModelSpecificRegister> current)
    {
        _fresh.CopyTo(current);
        ReadMsrs(current);
    }

    private void ReadMsrs(Span<ModelSpecificRegister> registers)
    {
        if (registers.Length > 0)
        {
            _machine.GetMsrs(registers);
        }
    }

    /// <summary>Of the registers just read, those that are to be written: reading is cheap, and writing some of them is not.</summary>
    private Span<ModelSpecificRegister> FindChanged(Span<ModelSpecificRegister> current)
    {
        int changed = 0;
        for (int i = 0; i < current.Length; i++)
        {
            if (current[i] != _target[i])
            {
                current[changed++] = _target[i];
            }
        }

        return current[..changed];
    }

    private void WriteMsrs(ReadOnlySpan<ModelSpecificRegister> changed)
    {
        if (!changed.IsEmpty)
        {
            _machine.SetMsrs(changed);
        }
    }

    /// <summary>Some registers have bits that nothing clears once a guest has set them; what they say must not go on to the next one.</summary>
    /// <exception cref="HypervisorException">A register has not taken its value.</exception>
    private void CheckWritten(Span<ModelSpecificRegister> written)
    {
        if (written.IsEmpty)
        {
            return;
        }

        _machine.GetMsrs(written);
        foreach (ModelSpecificRegister register in written)
        {
            ModelSpecificRegister target = _target[Array.FindIndex(_target, r => r.Index == register.Index)];
            if (register != target)
            {
                throw new HypervisorException(
                    _driver,
                    "Restore",
                    0,
                    $"the model-specific register 0x{register.Index:X} keeps 0x{register.Value:X} instead of 0x{target.Value:X}",
                    "Dispose the sandbox, and create another.");
            }
        }
    }

    private void UseTarget(IReadOnlyList<ModelSpecificRegister> captured)
    {
        if (ReferenceEquals(_targetOf, captured))
        {
            return;
        }

        _targetOf = null;
        _target = captured.Count == 0 ? _fresh : _ofSnapshot ??= new ModelSpecificRegister[_fresh.Length];
        _fresh.CopyTo(_target, 0);
        foreach (ModelSpecificRegister register in captured)
        {
            int index = Array.FindIndex(_target, r => r.Index == register.Index);
            if (index < 0)
            {
                throw new SnapshotMismatchException(
                    SnapshotMismatch.Registers, $"Its model-specific register 0x{register.Index:X} is none of those that this hypervisor has and that the sandbox's configuration permits to guests.");
            }

            _target[index] = register;
        }

        _targetOf = captured;
    }
}
