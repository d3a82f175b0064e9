using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>
/// A new machine is asked what its debug registers, XCR0 and model-specific registers are, for later resets. Until the processor
/// runs or is written to they do not change: all are read by the first of these questions.
/// </summary>
internal sealed unsafe partial class MshvVcpu
{
    private HvRegisterAssoc[]? _fresh;
    private bool _hasRun;

    /// <summary>Answers from what was read at once, if all registers are among it.</summary>
    private bool TryGetFresh(Span<HvRegisterAssoc> registers)
    {
        if (_hasRun || _system.WritableMsrs is not { } msrs)
        {
            return false;
        }

        HvRegisterAssoc[] fresh = _fresh ?? NamesOfFresh(msrs);
        if (!IsAmong(registers, fresh))
        {
            return false;
        }

        if (_fresh is null)
        {
            ReadRegisters(fresh);
            _fresh = fresh;
        }

        foreach (ref HvRegisterAssoc register in registers)
        {
            register.Value = fresh[IndexOf(fresh, register.Name)].Value;
        }

        return true;
    }

    private static bool IsAmong(ReadOnlySpan<HvRegisterAssoc> registers, ReadOnlySpan<HvRegisterAssoc> names)
    {
        foreach (HvRegisterAssoc register in registers)
        {
            if (IndexOf(names, register.Name) < 0)
            {
                return false;
            }
        }

        return true;
    }

    private static HvRegisterAssoc[] NamesOfFresh(uint[] msrs)
    {
        HvRegisterAssoc[] registers = new HvRegisterAssoc[DebugRegisterSet.Count + 1 + msrs.Length];
        DebugRegisterSet.Name(registers);
        registers[DebugRegisterSet.Count] = Register(HvRegisterNames.HV_X64_REGISTER_XFEM);
        for (int i = 0; i < msrs.Length; i++)
        {
            registers[DebugRegisterSet.Count + 1 + i] = Register(MshvMsrNames.Find(msrs[i]));
        }

        return registers;
    }

    private static int IndexOf(ReadOnlySpan<HvRegisterAssoc> registers, uint name)
    {
        for (int i = 0; i < registers.Length; i++)
        {
            if (registers[i].Name == name)
            {
                return i;
            }
        }

        return -1;
    }
}
