using Hyperlight.Abstractions;
using Hyperlight.Linux;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Model-specific registers. The hypervisor has a name for each, and refuses a whole call for one that it lacks.</summary>
internal sealed unsafe partial class MshvVcpu
{
    private const uint FsBase = 0xC000_0100;
    private const uint GsBase = 0xC000_0101;

    /// <summary>The registers that a restore has to put back. Finding them takes two calls for each, once.</summary>
    /// <exception cref="HypervisorException">The hypervisor gives a register, but does not take it; it is named.</exception>
    public ReadOnlyMemory<uint> GuestWritableMsrs => _system.WritableMsrs ??= FindWritableMsrs();

    /// <summary>HVCALL_GET_VP_REGISTERS.</summary>
    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        Span<HvRegisterAssoc> values = stackalloc HvRegisterAssoc[RegistersAtOnce];
        while (!registers.IsEmpty)
        {
            Span<ModelSpecificRegister> part = registers[..Math.Min(registers.Length, RegistersAtOnce)];
            for (int i = 0; i < part.Length; i++)
            {
                values[i] = Register(NameOf(part[i].Index, nameof(HvCalls.HVCALL_GET_VP_REGISTERS)));
            }

            GetRegisters(values[..part.Length]);
            for (int i = 0; i < part.Length; i++)
            {
                part[i] = part[i] with { Value = IsBase(part[i].Index) ? values[i].Value.Segment.Base : values[i].Value.Reg64 };
            }

            registers = registers[part.Length..];
        }
    }

    /// <summary>HVCALL_SET_VP_REGISTERS.</summary>
    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        Span<HvRegisterAssoc> values = stackalloc HvRegisterAssoc[RegistersAtOnce];
        while (!registers.IsEmpty)
        {
            ReadOnlySpan<ModelSpecificRegister> part = registers[..Math.Min(registers.Length, RegistersAtOnce)];
            for (int i = 0; i < part.Length; i++)
            {
                values[i] = Register(NameOf(part[i].Index, nameof(HvCalls.HVCALL_SET_VP_REGISTERS)), part[i].Value);
                if (IsBase(part[i].Index))
                {
                    // The base is a part of a segment register, of which the rest stays.
                    Span<HvRegisterAssoc> segment = [Register(values[i].Name)];
                    GetRegisters(segment);
                    values[i].Value.Segment = segment[0].Value.Segment;
                    values[i].Value.Segment.Base = part[i].Value;
                }
            }

            SetRegisters(values[..part.Length]);
            registers = registers[part.Length..];
        }
    }

    /// <exception cref="GuestMsrException">The hypervisor does not have a register that the policy adds.</exception>
    /// <exception cref="HypervisorException">The hypervisor did not answer.</exception>
    public void CheckAdditionalMsrs(MsrPolicy policy)
    {
        if (policy.Additional.Count > 0)
        {
            uint[] writable = GuestWritableMsrs.ToArray();
            policy.CheckAdditional(MshvHypervisor.DriverName, writable.Contains);
        }
    }

    private static bool IsBase(uint index) => index is FsBase or GsBase;

    private static uint NameOf(uint index, string operation)
    {
        uint name = index switch
        {
            FsBase => HvRegisterNames.HV_X64_REGISTER_FS,
            GsBase => HvRegisterNames.HV_X64_REGISTER_GS,
            _ => MshvMsrNames.Find(index),
        };
        return name != 0 ? name : throw MshvError.Create(-Errno.EINVAL, $"{operation} of MSR 0x{index:X}");
    }

    private uint[] FindWritableMsrs()
    {
        uint rangePairs = TryGet(HvRegisterNames.HV_X64_REGISTER_MSR_MTRR_CAP, out ulong cap) ? (uint)(cap & 0xFF) : 0;
        List<uint> writable = [];
        foreach (uint index in MshvMsrNames.Candidates(rangePairs))
        {
            if (TryGet(MshvMsrNames.Find(index), out ulong value))
            {
                SetMsrs([new ModelSpecificRegister(index, value)]);
                writable.Add(index);
            }
        }

        return [.. writable];
    }

    /// <summary>Reads a register that the hypervisor may not have: one by one, as it would refuse all for one.</summary>
    private bool TryGet(uint name, out ulong value)
    {
        GetBuffer input;
        input.Head = default;
        input.Names[0] = name;

        // SAFETY: one name, and room for its value.
        HvRegisterValue result = default;
        HypercallOutcome outcome = MshvHypercall.Call(
            _handle,
            HvCalls.HVCALL_GET_VP_REGISTERS,
            1,
            &input,
            sizeof(HvInputVpRegisters) + sizeof(uint),
            &result,
            sizeof(HvRegisterValue));
        value = result.Reg64;
        if (!outcome.Succeeded && outcome.Status == HvCalls.HV_STATUS_SUCCESS)
        {
            // The kernel refused, not the hypervisor: that says nothing about the register.
            throw MshvError.Create(outcome, nameof(HvCalls.HVCALL_GET_VP_REGISTERS));
        }

        return outcome.Succeeded && outcome.Completed == 1;
    }
}
