using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Model-specific registers. The platform has a name for each, and refuses a whole call for one that it lacks.</summary>
internal sealed unsafe partial class WhpVcpu
{
    private const uint FsBase = 0xC000_0100;
    private const uint GsBase = 0xC000_0101;

    /// <summary>How many are kept for the end of a batch: there is room for all other registers beside them.</summary>
    private const int KeptMsrs = 96;

    private readonly ModelSpecificRegister[] _msrs = new ModelSpecificRegister[KeptMsrs];
    private int _msrCount;
    private bool _isBatch;

    /// <summary>The registers that a restore has to put back. Finding them takes two calls for each, once.</summary>
    /// <exception cref="HypervisorException">The hypervisor gives a register, but does not take it; it is named.</exception>
    public ReadOnlyMemory<uint> GuestWritableMsrs => _system.WritableMsrs ??= FindWritableMsrs();

    /// <summary>WHvGetVirtualProcessorRegisters.</summary>
    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        WriteWaitingMsrs();
        WriteWaitingSpecial(registers);
        while (!registers.IsEmpty)
        {
            Span<ModelSpecificRegister> part = registers[..Math.Min(registers.Length, RegistersAtOnce)];
            Begin();
            foreach (ModelSpecificRegister register in part)
            {
                Add(NameOf(register.Index, nameof(WinHvPlatform.WHvGetVirtualProcessorRegisters)));
            }

            Get();
            for (int i = 0; i < part.Length; i++)
            {
                part[i] = part[i] with { Value = Values[i].Reg64 };
            }

            registers = registers[part.Length..];
        }
    }

    /// <summary>Model-specific registers are kept from now on, and written together with what waits.</summary>
    public void BeginBatch()
    {
        _ = _partition.Value;
        _isBatch = true;
    }

    /// <summary>Writes model-specific registers that were kept. Without them, what waits is written when the processor runs.</summary>
    /// <exception cref="HypervisorException">The hypervisor refused a register; it is named.</exception>
    public void EndBatch()
    {
        _isBatch = false;
        if ((_waiting & Waiting.Msrs) != 0)
        {
            WriteWaiting();
        }
    }

    /// <summary>WHvSetVirtualProcessorRegisters.</summary>
    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        if (TryKeep(registers))
        {
            return;
        }

        WriteWaitingSpecial(registers);
        while (!registers.IsEmpty)
        {
            ReadOnlySpan<ModelSpecificRegister> part = registers[..Math.Min(registers.Length, RegistersAtOnce)];
            ReadBases(part, out WhvX64SegmentRegister fs, out WhvX64SegmentRegister gs);
            Begin();
            foreach (ModelSpecificRegister register in part)
            {
                // A base is a part of a segment register, of which the rest stays.
                ref WhvRegisterValue place = ref AddPlace(
                    NameOf(register.Index, nameof(WinHvPlatform.WHvSetVirtualProcessorRegisters)));
                place.Segment = register.Index == FsBase ? fs : register.Index == GsBase ? gs : default;
                place.Reg64 = register.Value;
            }

            Set();
            registers = registers[part.Length..];
        }
    }

    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds.</exception>
    /// <exception cref="HypervisorException">The hypervisor did not answer.</exception>
    private void CheckAdditionalMsrs(MsrPolicy policy)
    {
        if (policy.Additional.Count > 0)
        {
            uint[] writable = GuestWritableMsrs.ToArray();
            policy.CheckAdditional(WhpHypervisor.DriverName, writable.Contains);
        }
    }

    private static uint NameOf(uint index, string function)
    {
        uint name = index switch
        {
            FsBase => WhvRegisterNames.WHvX64RegisterFs,
            GsBase => WhvRegisterNames.WHvX64RegisterGs,
            _ => WhpMsrNames.Find(index),
        };
        return name != 0
            ? name
            : throw WhpError.Create(HResults.WHV_E_INVALID_VP_REGISTER_NAME, $"{function} of MSR 0x{index:X}");
    }

    /// <summary>Keeps registers for the end of a batch, unless they are parts of others.</summary>
    private bool TryKeep(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        if (!_isBatch || registers.Length > _msrs.Length - _msrCount)
        {
            return false;
        }

        foreach (ModelSpecificRegister register in registers)
        {
            if (register.Index is FsBase or GsBase || WhpMsrNames.Find(register.Index) == 0)
            {
                return false;
            }
        }

        registers.CopyTo(_msrs.AsSpan(_msrCount));
        _msrCount += registers.Length;
        _waiting |= Waiting.Msrs;
        return true;
    }

    private void AddMsrs()
    {
        for (int i = 0; i < _msrCount; i++)
        {
            Add(WhpMsrNames.Find(_msrs[i].Index), _msrs[i].Value);
        }
    }

    private void WriteWaitingMsrs()
    {
        if ((_waiting & Waiting.Msrs) != 0)
        {
            WriteWaiting();
        }
    }

    /// <summary>EFER, the APIC base and the bases of FS and GS are special registers too.</summary>
    private void WriteWaitingSpecial(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        if ((_waiting & Waiting.Special) == 0)
        {
            return;
        }

        foreach (ModelSpecificRegister register in registers)
        {
            if (WhpMsrNames.IsSpecial(register.Index) || register.Index is FsBase or GsBase)
            {
                WriteWaiting();
                return;
            }
        }
    }

    private void ReadBases(ReadOnlySpan<ModelSpecificRegister> registers, out WhvX64SegmentRegister fs, out WhvX64SegmentRegister gs)
    {
        fs = default;
        gs = default;
        foreach (ModelSpecificRegister register in registers)
        {
            if (register.Index is FsBase or GsBase)
            {
                Begin();
                Add(WhvRegisterNames.WHvX64RegisterFs);
                Add(WhvRegisterNames.WHvX64RegisterGs);
                Get();
                fs = Values[0].Segment;
                gs = Values[1].Segment;
                return;
            }
        }
    }

    private uint[] FindWritableMsrs()
    {
        uint rangePairs = TryGet(WhvRegisterNames.WHvX64RegisterMsrMtrrCap, out ulong cap) ? (uint)(cap & 0xFF) : 0;
        List<uint> writable = [];
        foreach (uint index in WhpMsrNames.Candidates(rangePairs))
        {
            if (TryGet(WhpMsrNames.Find(index), out ulong value))
            {
                SetMsrs([new ModelSpecificRegister(index, value)]);
                writable.Add(index);
            }
        }

        return [.. writable];
    }
}
