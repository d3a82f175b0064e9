using Hyperlight.Abstractions;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Translates special registers between the contracts and the configuration's fields.</summary>
internal static class RegisterDocuments
{
    private const int InterruptBitmapWords = 4;

    /// <summary>No interrupt is ever pending between two calls.</summary>
    private static readonly ulong[] NoInterrupts = new ulong[InterruptBitmapWords];

    public static SpecialRegistersDocument From(in SpecialRegisters registers) => new(
        From(registers.Cs),
        From(registers.Ds),
        From(registers.Es),
        From(registers.Fs),
        From(registers.Gs),
        From(registers.Ss),
        From(registers.Tr),
        From(registers.Ldtr),
        new TableDocument(registers.Gdtr.Base, registers.Gdtr.Limit),
        new TableDocument(registers.Idtr.Base, registers.Idtr.Limit),
        registers.Cr0,
        registers.Cr2,
        registers.Cr4,
        registers.Cr8,
        registers.Efer,
        registers.ApicBase,
        NoInterrupts);

    public static SpecialRegisters ToRegisters(SpecialRegistersDocument document) => new()
    {
        Cs = ToSegment(document.Cs),
        Ds = ToSegment(document.Ds),
        Es = ToSegment(document.Es),
        Fs = ToSegment(document.Fs),
        Gs = ToSegment(document.Gs),
        Ss = ToSegment(document.Ss),
        Tr = ToSegment(document.Tr),
        Ldtr = ToSegment(document.Ldt),
        Gdtr = new DescriptorTableRegister { Base = document.Gdt.Base, Limit = document.Gdt.Limit },
        Idtr = new DescriptorTableRegister { Base = document.Idt.Base, Limit = document.Idt.Limit },
        Cr0 = document.Cr0,
        Cr2 = document.Cr2,
        Cr4 = document.Cr4,
        Cr8 = document.Cr8,
        Efer = document.Efer,
        ApicBase = document.ApicBase,
    };

    private static SegmentDocument From(SegmentRegister segment) => new(
        segment.Base,
        segment.Limit,
        segment.Selector,
        segment.Type,
        Bit(segment.IsPresent),
        segment.PrivilegeLevel,
        Bit(segment.IsDefault32),
        Bit(segment.IsCodeOrData),
        Bit(segment.IsLong),
        Bit(segment.IsPageGranular),
        Bit(segment.IsAvailable),
        Bit(!segment.IsPresent),
        Padding: 0);

    private static SegmentRegister ToSegment(SegmentDocument segment) => new()
    {
        Base = segment.Base,
        Limit = segment.Limit,
        Selector = segment.Selector,
        Attributes = SegmentRegister.ComposeAttributes(
            segment.Type, segment.S, segment.Dpl, segment.Present, segment.Avl, segment.L, segment.Db, segment.G),
    };

    private static byte Bit(bool value) => value ? (byte)1 : (byte)0;
}
