using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Special registers, and what it takes besides the register sets to put a processor to another use.</summary>
internal sealed unsafe partial class MshvVcpu
{
    public SpecialRegisters GetSpecialRegisters()
    {
        Span<HvRegisterAssoc> registers = stackalloc HvRegisterAssoc[SpecialRegisterSet.Count];
        SpecialRegisterSet.Name(registers);
        GetRegisters(registers);
        return SpecialRegisterSet.Read(registers);
    }

    public void SetSpecialRegisters(in SpecialRegisters registers)
    {
        Span<HvRegisterAssoc> values = stackalloc HvRegisterAssoc[SpecialRegisterSet.Count];
        SpecialRegisterSet.Write(in registers, values);
        SetRegisters(values);
    }

    public ulong GetXcr0() => GetRegister(HvRegisterNames.HV_X64_REGISTER_XFEM);

    public void SetXcr0(ulong value) => SetRegisters([Register(HvRegisterNames.HV_X64_REGISTER_XFEM, value)]);

    /// <summary>
    /// Nothing is pending: no exception that is being delivered, no event, no interrupt shadow. An instruction that was
    /// intercepted leaves nothing else behind: the hypervisor has not begun it.
    /// </summary>
    public void DiscardPendingState()
    {
        DiscardInterrupts();
        SetRegisters(
        [
            Register(HvRegisterNames.HV_REGISTER_PENDING_INTERRUPTION),
            Register(HvRegisterNames.HV_REGISTER_INTERRUPT_STATE),
            Register(HvRegisterNames.HV_REGISTER_PENDING_EVENT0),
            Register(HvRegisterNames.HV_REGISTER_PENDING_EVENT1),
        ]);
    }
}
