using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>Special registers: translated between the contract and hypercalls.</summary>
internal static class SpecialRegisterSet
{
    public const int Count = 17;

    /// <summary>Names what a hypercall is to read.</summary>
    public static void Name(Span<HvRegisterAssoc> registers)
    {
        Write(default, registers);
        registers[10].Name = HvRegisterNames.HV_X64_REGISTER_CR0;
        registers[12].Name = HvRegisterNames.HV_X64_REGISTER_CR3;
        registers[13].Name = HvRegisterNames.HV_X64_REGISTER_CR4;
        registers[14].Name = HvRegisterNames.HV_X64_REGISTER_CR8;
    }

    public static SpecialRegisters Read(ReadOnlySpan<HvRegisterAssoc> registers) => new()
    {
        Cs = ToSegment(registers[0]),
        Ds = ToSegment(registers[1]),
        Es = ToSegment(registers[2]),
        Fs = ToSegment(registers[3]),
        Gs = ToSegment(registers[4]),
        Ss = ToSegment(registers[5]),
        Tr = ToSegment(registers[6]),
        Ldtr = ToSegment(registers[7]),
        Gdtr = ToTable(registers[8]),
        Idtr = ToTable(registers[9]),
        Cr0 = registers[10].Value.Reg64,
        Cr2 = registers[11].Value.Reg64,
        Cr3 = registers[12].Value.Reg64,
        Cr4 = registers[13].Value.Reg64,
        Cr8 = registers[14].Value.Reg64,
        Efer = registers[15].Value.Reg64,
        ApicBase = registers[16].Value.Reg64,
    };

    /// <summary>
    /// The control registers go by their intermediate names: the hypervisor checks what they are together when the
    /// processor runs, and not each as it is written.
    /// </summary>
    public static void Write(in SpecialRegisters source, Span<HvRegisterAssoc> registers)
    {
        registers[0] = FromSegment(HvRegisterNames.HV_X64_REGISTER_CS, source.Cs);
        registers[1] = FromSegment(HvRegisterNames.HV_X64_REGISTER_DS, source.Ds);
        registers[2] = FromSegment(HvRegisterNames.HV_X64_REGISTER_ES, source.Es);
        registers[3] = FromSegment(HvRegisterNames.HV_X64_REGISTER_FS, source.Fs);
        registers[4] = FromSegment(HvRegisterNames.HV_X64_REGISTER_GS, source.Gs);
        registers[5] = FromSegment(HvRegisterNames.HV_X64_REGISTER_SS, source.Ss);
        registers[6] = FromSegment(HvRegisterNames.HV_X64_REGISTER_TR, source.Tr);
        registers[7] = FromSegment(HvRegisterNames.HV_X64_REGISTER_LDTR, source.Ldtr);
        registers[8] = FromTable(HvRegisterNames.HV_X64_REGISTER_GDTR, source.Gdtr);
        registers[9] = FromTable(HvRegisterNames.HV_X64_REGISTER_IDTR, source.Idtr);
        registers[10] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_INTERMEDIATE_CR0, source.Cr0);
        registers[11] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_CR2, source.Cr2);
        registers[12] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_INTERMEDIATE_CR3, source.Cr3);
        registers[13] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_INTERMEDIATE_CR4, source.Cr4);
        registers[14] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_INTERMEDIATE_CR8, source.Cr8);
        registers[15] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_EFER, source.Efer);
        registers[16] = MshvVcpu.Register(HvRegisterNames.HV_X64_REGISTER_APIC_BASE, source.ApicBase);
    }

    private static SegmentRegister ToSegment(in HvRegisterAssoc register) => new()
    {
        Base = register.Value.Segment.Base,
        Limit = register.Value.Segment.Limit,
        Selector = register.Value.Segment.Selector,
        Attributes = register.Value.Segment.Attributes,
    };

    private static HvRegisterAssoc FromSegment(uint name, SegmentRegister segment)
    {
        HvX64SegmentRegister value = new()
        {
            Base = segment.Base,
            Limit = segment.Limit,
            Selector = segment.Selector,
            Attributes = segment.Attributes,
        };
        return new HvRegisterAssoc { Name = name, Value = new HvRegisterValue { Segment = value } };
    }

    private static DescriptorTableRegister ToTable(in HvRegisterAssoc register) =>
        new() { Base = register.Value.Table.Base, Limit = register.Value.Table.Limit };

    private static HvRegisterAssoc FromTable(uint name, DescriptorTableRegister table)
    {
        HvX64TableRegister value = new() { Base = table.Base, Limit = table.Limit };
        return new HvRegisterAssoc { Name = name, Value = new HvRegisterValue { Table = value } };
    }
}
