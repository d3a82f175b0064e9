using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Host.Snapshots;

/// <summary>A machine that has registers and nothing else. Mocks cannot take spans.</summary>
internal class RegisterMachine(params uint[] writable) : IVirtualMachine
{
    private readonly Dictionary<uint, ulong> _msrs = writable.ToDictionary(static index => index, static _ => 0UL);
    private SpecialRegisters _special;
    private DebugRegisters _debug;
    private ulong _xcr0 = 1;

    /// <summary>Model-specific registers of which bits that are set once stay set.</summary>
    public HashSet<uint> Sticky { get; } = [];

    /// <summary>The time-stamp counter.</summary>
    public ulong Counter { get; set; }

    /// <summary>How often the time-stamp counter was read.</summary>
    public int CounterReads { get; private set; }

    /// <summary>How often something was written to the time-stamp counter.</summary>
    public int CounterWrites { get; private set; }

    public uint? MemorySlotLimit => null;

    public int XsaveSize => 0;

    public ReadOnlyMemory<uint> GuestWritableMsrs => writable;

    public ulong this[uint msr]
    {
        get => _msrs[msr];
        set => _msrs[msr] = value;
    }

    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        foreach (ref ModelSpecificRegister register in registers)
        {
            CounterReads += register.Index == 0x10 ? 1 : 0;
            register = register with { Value = register.Index == 0x10 ? Counter : _msrs[register.Index] };
        }
    }

    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        foreach (ModelSpecificRegister register in registers)
        {
            if (register.Index == 0x10)
            {
                Counter = register.Value;
                CounterWrites++;
            }
            else
            {
                _msrs[register.Index] = register.Value | (Sticky.Contains(register.Index) ? _msrs[register.Index] : 0);
            }
        }
    }

    public SpecialRegisters GetSpecialRegisters() => _special;

    public void SetSpecialRegisters(in SpecialRegisters registers) => _special = registers;

    public DebugRegisters GetDebugRegisters() => _debug;

    public void SetDebugRegisters(in DebugRegisters registers) => _debug = registers;

    public ulong GetXcr0() => _xcr0;

    public void SetXcr0(ulong value) => _xcr0 = value;

    public virtual void DiscardPendingState()
    {
        // Nothing is pending.
    }

    public void Cancel() => throw new NotSupportedException();

    public void MapMemory(uint slot, in GuestMapping mapping) => throw new NotSupportedException();

    public void UnmapMemory(uint slot) => throw new NotSupportedException();

    public VmExit Run() => throw new NotSupportedException();

    public GeneralRegisters GetGeneralRegisters() => throw new NotSupportedException();

    public void SetGeneralRegisters(in GeneralRegisters registers) => throw new NotSupportedException();

    public FpuRegisters GetFpuRegisters() => throw new NotSupportedException();

    public void SetFpuRegisters(in FpuRegisters registers) => throw new NotSupportedException();

    public void GetXsave(Span<byte> destination) => throw new NotSupportedException();

    public void SetXsave(ReadOnlySpan<byte> source) => throw new NotSupportedException();

    public void Dispose()
    {
        // There is nothing to release.
    }
}
