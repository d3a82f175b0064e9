using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// Registers by hypercall: HVCALL_GET_VP_REGISTERS and HVCALL_SET_VP_REGISTERS. The hypervisor may complete a part of a
/// call; the rest is asked for again.
/// </summary>
internal sealed unsafe partial class MshvVcpu
{
    /// <summary>How many registers one call carries: a call to set them fits into one page.</summary>
    private const int RegistersAtOnce = 120;

    /// <summary>Reads registers: each entry says which, its value is filled in.</summary>
    /// <exception cref="HypervisorException">One of them cannot be read; it is named.</exception>
    public void GetRegisters(Span<HvRegisterAssoc> registers)
    {
        ThrowIfDisposed();
        WriteBatch();
        if (!TryGetFresh(registers))
        {
            ReadRegisters(registers);
        }
    }

    private void ReadRegisters(Span<HvRegisterAssoc> registers)
    {
        GetBuffer input;
        HvRegisterValue* values = stackalloc HvRegisterValue[RegistersAtOnce];
        while (!registers.IsEmpty)
        {
            int count = Math.Min(registers.Length, RegistersAtOnce);
            input.Head = default;
            for (int i = 0; i < count; i++)
            {
                input.Names[i] = registers[i].Name;
            }

            // SAFETY: there is room for one value for each name.
            HypercallOutcome outcome = MshvHypercall.Call(
                _handle,
                HvCalls.HVCALL_GET_VP_REGISTERS,
                count,
                &input,
                sizeof(HvInputVpRegisters) + (count * sizeof(uint)),
                values,
                count * sizeof(HvRegisterValue));
            int done = CheckProgress(outcome, nameof(HvCalls.HVCALL_GET_VP_REGISTERS), registers[..count]);
            for (int i = 0; i < done; i++)
            {
                registers[i].Value = values[i];
            }

            registers = registers[done..];
        }
    }

    /// <summary>Writes registers in order.</summary>
    /// <exception cref="HypervisorException">One of them cannot be written; it is named, and those before it are written.</exception>
    public void SetRegisters(ReadOnlySpan<HvRegisterAssoc> registers)
    {
        ThrowIfDisposed();
        if (!TryAddToBatch(registers))
        {
            WriteRegisters(registers);
        }
    }

    private void WriteRegisters(ReadOnlySpan<HvRegisterAssoc> registers)
    {
        _fresh = null;
        SetBuffer input;
        while (!registers.IsEmpty)
        {
            int count = Math.Min(registers.Length, RegistersAtOnce);
            input.Head = default;

            // SAFETY: the buffer has room for as many as are sent at once.
            registers[..count].CopyTo(new Span<HvRegisterAssoc>(input.Registers, RegistersAtOnce));
            HypercallOutcome outcome = MshvHypercall.Call(
                _handle,
                HvCalls.HVCALL_SET_VP_REGISTERS,
                count,
                &input,
                sizeof(HvInputVpRegisters) + (count * sizeof(HvRegisterAssoc)));
            registers = registers[CheckProgress(outcome, nameof(HvCalls.HVCALL_SET_VP_REGISTERS), registers[..count])..];
        }
    }

    /// <summary>Reads one register.</summary>
    public ulong GetRegister(uint name)
    {
        Span<HvRegisterAssoc> registers = [Register(name)];
        GetRegisters(registers);
        return registers[0].Value.Reg64;
    }

    /// <summary>A register of at most 64 bits and its value.</summary>
    public static HvRegisterAssoc Register(uint name, ulong value = 0) =>
        new() { Name = name, Value = new HvRegisterValue { Reg64 = value } };

    /// <returns>How many registers were transferred, at least one.</returns>
    private static int CheckProgress(HypercallOutcome outcome, string operation, ReadOnlySpan<HvRegisterAssoc> registers)
    {
        int done = outcome.Completed;
        if (outcome.Succeeded && done > 0 && done <= registers.Length)
        {
            return done;
        }

        // The call stops at the register that is refused.
        string which = done < registers.Length ? $" of register 0x{registers[done].Name:X}" : string.Empty;
        throw MshvError.Create(outcome, operation + which);
    }

    private struct GetBuffer
    {
        public HvInputVpRegisters Head;
        public fixed uint Names[RegistersAtOnce];
    }

    private struct SetBuffer
    {
        public HvInputVpRegisters Head;
        public fixed byte Registers[RegistersAtOnce * 32];
    }
}
