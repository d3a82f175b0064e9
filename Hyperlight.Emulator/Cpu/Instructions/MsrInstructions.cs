using Hyperlight.Abstractions;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// RDMSR and WRMSR. A register that does not exist or that the policy denies, or a value with reserved bits, is #GP to the guest.
/// </summary>
internal sealed class MsrInstructions(
    RegisterFile registers,
    MsrPolicy msrPolicy,
    EmulatorOptions options,
    PendingEvent pending,
    Operands operands,
    ModelSpecificRegisters msrs)
{
    public bool Read()
    {
        var index = (uint)registers[Rcx];
        if (!(options.PermitsAllMsrs || msrPolicy.MayRead(index)) || !msrs.TryRead(index, out ulong value))
        {
            return pending.Fault(GeneralProtection, 0);
        }

        operands.WriteWide(value);
        return true;
    }

    public bool Write()
    {
        var index = (uint)registers[Rcx];
        bool isPermitted = options.PermitsAllMsrs ? !options.ReadOnlyMsrs.Contains(index) : msrPolicy.MayWrite(index);
        return (isPermitted && msrs.TryWrite(index, operands.ReadWide())) || pending.Fault(GeneralProtection, 0);
    }
}
