using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Debug registers: translated between the contract and hypercalls.</summary>
internal static class DebugRegisterSet
{
    public const int Count = 6;

    public static void Name(Span<HvRegisterAssoc> registers) => Write(default, registers);

    public static DebugRegisters Read(ReadOnlySpan<HvRegisterAssoc> registers) => new()
    {
        Dr0 = registers[0].Value.Reg64,
        Dr1 = registers[1].Value.Reg64,
        Dr2 = registers[2].Value.Reg64,
        Dr3 = registers[3].Value.Reg64,
        Dr6 = registers[4].Value.Reg64,
        Dr7 = registers[5].Value.Reg64,
    };

    public static void Write(in DebugRegisters source, Span<HvRegisterAssoc> registers)
    {
        registers[0] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_DR0, source.Dr0);
        registers[1] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_DR1, source.Dr1);
        registers[2] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_DR2, source.Dr2);
        registers[3] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_DR3, source.Dr3);
        registers[4] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_DR6, source.Dr6);
        registers[5] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_DR7, source.Dr7);
    }
}
