using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Kvm;

/// <summary>Translates register sets between the contracts and the kernel's structures.</summary>
internal static class RegisterConversion
{
    public static GeneralRegisters ToGeneral(in KvmRegs regs) => new()
    {
        Rax = regs.Rax,
        Rbx = regs.Rbx,
        Rcx = regs.Rcx,
        Rdx = regs.Rdx,
        Rsi = regs.Rsi,
        Rdi = regs.Rdi,
        Rsp = regs.Rsp,
        Rbp = regs.Rbp,
        R8 = regs.R8,
        R9 = regs.R9,
        R10 = regs.R10,
        R11 = regs.R11,
        R12 = regs.R12,
        R13 = regs.R13,
        R14 = regs.R14,
        R15 = regs.R15,
        Rip = regs.Rip,
        Rflags = regs.Rflags,
    };

    public static void FromGeneral(in GeneralRegisters registers, out KvmRegs regs) => regs = new KvmRegs
    {
        Rax = registers.Rax,
        Rbx = registers.Rbx,
        Rcx = registers.Rcx,
        Rdx = registers.Rdx,
        Rsi = registers.Rsi,
        Rdi = registers.Rdi,
        Rsp = registers.Rsp,
        Rbp = registers.Rbp,
        R8 = registers.R8,
        R9 = registers.R9,
        R10 = registers.R10,
        R11 = registers.R11,
        R12 = registers.R12,
        R13 = registers.R13,
        R14 = registers.R14,
        R15 = registers.R15,
        Rip = registers.Rip,
        Rflags = registers.Rflags,
    };

    public static SpecialRegisters ToSpecial(in KvmSregs sregs) => new()
    {
        Cs = ToSegment(in sregs.Cs),
        Ds = ToSegment(in sregs.Ds),
        Es = ToSegment(in sregs.Es),
        Fs = ToSegment(in sregs.Fs),
        Gs = ToSegment(in sregs.Gs),
        Ss = ToSegment(in sregs.Ss),
        Tr = ToSegment(in sregs.Tr),
        Ldtr = ToSegment(in sregs.Ldt),
        Gdtr = ToTable(in sregs.Gdt),
        Idtr = ToTable(in sregs.Idt),
        Cr0 = sregs.Cr0,
        Cr2 = sregs.Cr2,
        Cr3 = sregs.Cr3,
        Cr4 = sregs.Cr4,
        Cr8 = sregs.Cr8,
        Efer = sregs.Efer,
        ApicBase = sregs.ApicBase,
    };

    /// <summary>The interrupt bitmap stays empty: no interrupt is ever injected.</summary>
    public static void FromSpecial(in SpecialRegisters registers, out KvmSregs sregs) => sregs = new KvmSregs
    {
        Cs = FromSegment(registers.Cs),
        Ds = FromSegment(registers.Ds),
        Es = FromSegment(registers.Es),
        Fs = FromSegment(registers.Fs),
        Gs = FromSegment(registers.Gs),
        Ss = FromSegment(registers.Ss),
        Tr = FromSegment(registers.Tr),
        Ldt = FromSegment(registers.Ldtr),
        Gdt = FromTable(registers.Gdtr),
        Idt = FromTable(registers.Idtr),
        Cr0 = registers.Cr0,
        Cr2 = registers.Cr2,
        Cr3 = registers.Cr3,
        Cr4 = registers.Cr4,
        Cr8 = registers.Cr8,
        Efer = registers.Efer,
        ApicBase = registers.ApicBase,
    };

    public static DebugRegisters ToDebug(in KvmDebugregs debugregs) => new()
    {
        Dr0 = debugregs.Db0,
        Dr1 = debugregs.Db1,
        Dr2 = debugregs.Db2,
        Dr3 = debugregs.Db3,
        Dr6 = debugregs.Dr6,
        Dr7 = debugregs.Dr7,
    };

    public static void FromDebug(in DebugRegisters registers, out KvmDebugregs debugregs) => debugregs = new KvmDebugregs
    {
        Db0 = registers.Dr0,
        Db1 = registers.Dr1,
        Db2 = registers.Dr2,
        Db3 = registers.Dr3,
        Dr6 = registers.Dr6,
        Dr7 = registers.Dr7,
    };

    private static SegmentRegister ToSegment(in KvmSegment segment) => new()
    {
        Base = segment.Base,
        Limit = segment.Limit,
        Selector = segment.Selector,
        Attributes = SegmentRegister.ComposeAttributes(
            segment.Type, segment.S, segment.Dpl, segment.Present, segment.Avl, segment.L, segment.Db, segment.G),
    };

    private static KvmSegment FromSegment(SegmentRegister segment) => new()
    {
        Base = segment.Base,
        Limit = segment.Limit,
        Selector = segment.Selector,
        Type = segment.Type,
        S = Bit(segment.IsCodeOrData),
        Dpl = segment.PrivilegeLevel,
        Present = Bit(segment.IsPresent),
        Avl = Bit(segment.IsAvailable),
        L = Bit(segment.IsLong),
        Db = Bit(segment.IsDefault32),
        G = Bit(segment.IsPageGranular),
        Unusable = Bit(!segment.IsPresent),
    };

    private static DescriptorTableRegister ToTable(in KvmDtable table) => new() { Base = table.Base, Limit = table.Limit };

    private static KvmDtable FromTable(DescriptorTableRegister table) => new() { Base = table.Base, Limit = table.Limit };

    private static byte Bit(bool value) => value ? (byte)1 : (byte)0;
}
