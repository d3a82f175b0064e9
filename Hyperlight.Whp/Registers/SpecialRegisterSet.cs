using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Special registers: translated between the contract and the platform.</summary>
internal static class SpecialRegisterSet
{
    private static readonly uint[] AllNames =
    [
        WhvRegisterNames.WHvX64RegisterCs,
        WhvRegisterNames.WHvX64RegisterDs,
        WhvRegisterNames.WHvX64RegisterEs,
        WhvRegisterNames.WHvX64RegisterFs,
        WhvRegisterNames.WHvX64RegisterGs,
        WhvRegisterNames.WHvX64RegisterSs,
        WhvRegisterNames.WHvX64RegisterTr,
        WhvRegisterNames.WHvX64RegisterLdtr,
        WhvRegisterNames.WHvX64RegisterGdtr,
        WhvRegisterNames.WHvX64RegisterIdtr,
        WhvRegisterNames.WHvX64RegisterCr0,
        WhvRegisterNames.WHvX64RegisterCr2,
        WhvRegisterNames.WHvX64RegisterCr3,
        WhvRegisterNames.WHvX64RegisterCr4,
        WhvRegisterNames.WHvX64RegisterCr8,
        WhvRegisterNames.WHvX64RegisterEfer,
        WhvRegisterNames.WHvX64RegisterApicBase,
    ];

    /// <summary>The names, in the order of the values.</summary>
    public static ReadOnlySpan<uint> Names => AllNames;

    public static SpecialRegisters Read(ReadOnlySpan<WhvRegisterValue> values) => new()
    {
        Cs = ToSegment(values[0]),
        Ds = ToSegment(values[1]),
        Es = ToSegment(values[2]),
        Fs = ToSegment(values[3]),
        Gs = ToSegment(values[4]),
        Ss = ToSegment(values[5]),
        Tr = ToSegment(values[6]),
        Ldtr = ToSegment(values[7]),
        Gdtr = ToTable(values[8]),
        Idtr = ToTable(values[9]),
        Cr0 = values[10].Reg64,
        Cr2 = values[11].Reg64,
        Cr3 = values[12].Reg64,
        Cr4 = values[13].Reg64,
        Cr8 = values[14].Reg64,
        Efer = values[15].Reg64,
        ApicBase = values[16].Reg64,
    };

    public static void Write(in SpecialRegisters source, Span<WhvRegisterValue> values)
    {
        values[0].Segment = FromSegment(source.Cs);
        values[1].Segment = FromSegment(source.Ds);
        values[2].Segment = FromSegment(source.Es);
        values[3].Segment = FromSegment(source.Fs);
        values[4].Segment = FromSegment(source.Gs);
        values[5].Segment = FromSegment(source.Ss);
        values[6].Segment = FromSegment(source.Tr);
        values[7].Segment = FromSegment(source.Ldtr);
        values[8].Table = FromTable(source.Gdtr);
        values[9].Table = FromTable(source.Idtr);
        values[10].Reg64 = source.Cr0;
        values[11].Reg64 = source.Cr2;
        values[12].Reg64 = source.Cr3;
        values[13].Reg64 = source.Cr4;
        values[14].Reg64 = source.Cr8;
        values[15].Reg64 = source.Efer;
        values[16].Reg64 = source.ApicBase;
    }

    private static SegmentRegister ToSegment(in WhvRegisterValue value) => new()
    {
        Base = value.Segment.Base,
        Limit = value.Segment.Limit,
        Selector = value.Segment.Selector,
        Attributes = value.Segment.Attributes,
    };

    private static WhvX64SegmentRegister FromSegment(SegmentRegister segment) => new()
    {
        Base = segment.Base,
        Limit = segment.Limit,
        Selector = segment.Selector,
        Attributes = segment.Attributes,
    };

    private static DescriptorTableRegister ToTable(in WhvRegisterValue value) =>
        new() { Base = value.Table.Base, Limit = value.Table.Limit };

    private static WhvX64TableRegister FromTable(DescriptorTableRegister table) => new() { Base = table.Base, Limit = table.Limit };
}
