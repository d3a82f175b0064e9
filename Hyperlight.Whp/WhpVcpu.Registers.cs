using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>The register sets, which wait to be written until the processor runs.</summary>
internal sealed unsafe partial class WhpVcpu
{
    private Waiting _waiting;
    private GeneralRegisters _general;
    private SpecialRegisters _special;
    private DebugRegisters _debug;
    private ulong _xcr0;

    /// <summary>A value of XCR0 that the processor has taken before.</summary>
    private ulong _takenXcr0;

    /// <summary>What an exit has changed of registers that do not wait as a whole: the next instruction, and the rest of an OUTS.</summary>
    private ulong _rip;
    private ulong _rsi;
    private ulong _rcx;

    [Flags]
    private enum Waiting
    {
        Nothing = 0,
        Rip = 1 << 0,
        RsiAndRcx = 1 << 1,
        General = 1 << 2,
        Special = 1 << 3,
        Debug = 1 << 4,
        Xcr0 = 1 << 5,
        PendingEvents = 1 << 6,
        Msrs = 1 << 7,
        Interruption = 1 << 8,
        Notifications = 1 << 9,
    }

    public GeneralRegisters GetGeneralRegisters()
    {
        if ((_waiting & Waiting.General) != 0)
        {
            _ = _partition.Value;
            return _general;
        }

        Begin();
        for (uint i = 0; i < GeneralRegisterSet.Count; i++)
        {
            Add(GeneralRegisterSet.First + i);
        }

        Get();
        GeneralRegisters registers = GeneralRegisterSet.Read(new ReadOnlySpan<WhvRegisterValue>(Values, GeneralRegisterSet.Count));
        if ((_waiting & Waiting.Rip) != 0)
        {
            registers.Rip = _rip;
        }

        if ((_waiting & Waiting.RsiAndRcx) != 0)
        {
            registers.Rsi = _rsi;
            registers.Rcx = _rcx;
        }

        return registers;
    }

    public void SetGeneralRegisters(in GeneralRegisters registers)
    {
        _ = _partition.Value;
        _general = registers;
        _waiting = (_waiting & ~(Waiting.Rip | Waiting.RsiAndRcx)) | Waiting.General;
    }

    public SpecialRegisters GetSpecialRegisters()
    {
        if ((_waiting & Waiting.Special) != 0)
        {
            _ = _partition.Value;
            return _special;
        }

        Begin();
        foreach (uint name in SpecialRegisterSet.Names)
        {
            Add(name);
        }

        Get();
        return SpecialRegisterSet.Read(new ReadOnlySpan<WhvRegisterValue>(Values, _count));
    }

    public void SetSpecialRegisters(in SpecialRegisters registers)
    {
        _ = _partition.Value;
        _special = registers;
        _waiting |= Waiting.Special;
    }

    public DebugRegisters GetDebugRegisters()
    {
        if ((_waiting & Waiting.Debug) != 0)
        {
            _ = _partition.Value;
            return _debug;
        }

        Begin();
        for (uint i = 0; i < DebugRegisterSet.Count; i++)
        {
            Add(DebugRegisterSet.First + i);
        }

        Get();
        return DebugRegisterSet.Read(new ReadOnlySpan<WhvRegisterValue>(Values, _count));
    }

    public void SetDebugRegisters(in DebugRegisters registers)
    {
        _ = _partition.Value;
        _debug = registers;
        _waiting |= Waiting.Debug;
    }

    public ulong GetXcr0()
    {
        if ((_waiting & Waiting.Xcr0) != 0)
        {
            _ = _partition.Value;
            return _xcr0;
        }

        Begin();
        Add(WhvRegisterNames.WHvX64RegisterXCr0);
        Get();
        return _takenXcr0 = Values[0].Reg64;
    }

    /// <summary>A value that the processor may refuse is written at once, so that the caller learns it.</summary>
    public void SetXcr0(ulong value)
    {
        _ = _partition.Value;
        _xcr0 = value;
        _waiting |= Waiting.Xcr0;
        if (value != _takenXcr0)
        {
            Begin();
            Add(WhvRegisterNames.WHvX64RegisterXCr0, value);
            _waiting &= ~Waiting.Xcr0;
            Set();
            _takenXcr0 = value;
        }
    }

    /// <summary>
    /// Nothing is pending: no exception that is being delivered, no event, no interrupt shadow. An instruction at an exit
    /// leaves nothing else behind: the hypervisor has not executed it.
    /// </summary>
    public void DiscardPendingState()
    {
        _ = _partition.Value;
        DiscardInterrupts();
        _waiting |= Waiting.PendingEvents;
    }

    /// <summary>Writes what waits, by one call.</summary>
    /// <exception cref="HypervisorException">The hypervisor refused a register; all wait further.</exception>
    private void WriteWaiting()
    {
        if (_waiting == Waiting.Nothing)
        {
            return;
        }

        Begin();
        AddGeneral();
        if ((_waiting & Waiting.Debug) != 0)
        {
            int first = _count;
            AddNames(DebugRegisterSet.First, DebugRegisterSet.Count);
            DebugRegisterSet.Write(in _debug, new Span<WhvRegisterValue>(Values + first, DebugRegisterSet.Count));
        }

        AddMsrs();
        if ((_waiting & Waiting.Xcr0) != 0)
        {
            Add(WhvRegisterNames.WHvX64RegisterXCr0, _xcr0);
        }

        if ((_waiting & Waiting.Special) != 0)
        {
            int first = _count;
            foreach (uint name in SpecialRegisterSet.Names)
            {
                Add(name);
            }

            SpecialRegisterSet.Write(in _special, new Span<WhvRegisterValue>(Values + first, _count - first));
        }

        if ((_waiting & Waiting.PendingEvents) != 0)
        {
            foreach (uint name in _system.PendingEvents!)
            {
                Add(name);
            }
        }

        AddInterrupts();

        // Model-specific registers that are refused are not tried again at each run.
        _waiting &= ~Waiting.Msrs;
        _msrCount = 0;
        Set();
        _waiting = Waiting.Nothing;
    }

    private void AddGeneral()
    {
        if ((_waiting & Waiting.General) != 0)
        {
            int first = _count;
            AddNames(GeneralRegisterSet.First, GeneralRegisterSet.Count);
            GeneralRegisterSet.Write(in _general, new Span<WhvRegisterValue>(Values + first, GeneralRegisterSet.Count));
            return;
        }

        if ((_waiting & Waiting.Rip) != 0)
        {
            Add(WhvRegisterNames.WHvX64RegisterRip, _rip);
        }

        if ((_waiting & Waiting.RsiAndRcx) != 0)
        {
            Add(WhvRegisterNames.WHvX64RegisterRsi, _rsi);
            Add(WhvRegisterNames.WHvX64RegisterRcx, _rcx);
        }
    }

    private void AddNames(uint first, int count)
    {
        for (uint i = 0; i < count; i++)
        {
            Add(first + i);
        }
    }

    /// <summary>Finds out which registers of pending events the hypervisor has, once.</summary>
    private void LearnPendingEvents()
    {
        if (_system.PendingEvents is null)
        {
            uint[] names =
            [
                WhvRegisterNames.WHvRegisterPendingInterruption,
                WhvRegisterNames.WHvRegisterInterruptState,
                WhvRegisterNames.WHvRegisterPendingEvent,
                WhvRegisterNames.WHvRegisterInternalActivityState,
                WhvRegisterNames.WHvX64RegisterPendingDebugException,
            ];
            _system.PendingEvents = [.. names.Where(name => TryGet(name, out _))];
        }
    }
}
