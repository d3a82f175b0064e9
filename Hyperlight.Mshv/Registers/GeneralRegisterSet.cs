using Hyperlight.Abstractions;
using Hyperlight.Mshv.Interop;

namespace Hyperlight.Mshv;

/// <summary>General registers, RIP and RFLAGS: translated between the contract, hypercalls and the register page.</summary>
internal static class GeneralRegisterSet
{
    public const int Count = 18;

    /// <summary>Names what a hypercall is to read. The names are consecutive, in the order of the page.</summary>
    public static void Name(Span<HvRegisterAssoc> registers)
    {
        for (int i = 0; i < Count; i++)
        {
            registers[i].Name = HvRegisterNames.HV_X64_REGISTER_RAX + (uint)i;
        }
    }

    public static GeneralRegisters Read(ReadOnlySpan<HvRegisterAssoc> registers) => new()
    {
        Rax = registers[0].Value.Reg64,
        Rcx = registers[1].Value.Reg64,
        Rdx = registers[2].Value.Reg64,
        Rbx = registers[3].Value.Reg64,
        Rsp = registers[4].Value.Reg64,
        Rbp = registers[5].Value.Reg64,
        Rsi = registers[6].Value.Reg64,
        Rdi = registers[7].Value.Reg64,
        R8 = registers[8].Value.Reg64,
        R9 = registers[9].Value.Reg64,
        R10 = registers[10].Value.Reg64,
        R11 = registers[11].Value.Reg64,
        R12 = registers[12].Value.Reg64,
        R13 = registers[13].Value.Reg64,
        R14 = registers[14].Value.Reg64,
        R15 = registers[15].Value.Reg64,
        Rip = registers[16].Value.Reg64,
        Rflags = registers[17].Value.Reg64,
    };

    public static GeneralRegisters Read(in HvVpRegisterPage page) => new()
    {
        Rax = page.Rax,
        Rcx = page.Rcx,
        Rdx = page.Rdx,
        Rbx = page.Rbx,
        Rsp = page.Rsp,
        Rbp = page.Rbp,
        Rsi = page.Rsi,
        Rdi = page.Rdi,
        R8 = page.R8,
        R9 = page.R9,
        R10 = page.R10,
        R11 = page.R11,
        R12 = page.R12,
        R13 = page.R13,
        R14 = page.R14,
        R15 = page.R15,
        Rip = page.Rip,
        Rflags = page.Rflags,
    };

    public static void Write(in GeneralRegisters source, Span<HvRegisterAssoc> registers)
    {
        Name(registers);
        registers[0].Value.Reg64 = source.Rax;
        registers[1].Value.Reg64 = source.Rcx;
        registers[2].Value.Reg64 = source.Rdx;
        registers[3].Value.Reg64 = source.Rbx;
        registers[4].Value.Reg64 = source.Rsp;
        registers[5].Value.Reg64 = source.Rbp;
        registers[6].Value.Reg64 = source.Rsi;
        registers[7].Value.Reg64 = source.Rdi;
        registers[8].Value.Reg64 = source.R8;
        registers[9].Value.Reg64 = source.R9;
        registers[10].Value.Reg64 = source.R10;
        registers[11].Value.Reg64 = source.R11;
        registers[12].Value.Reg64 = source.R12;
        registers[13].Value.Reg64 = source.R13;
        registers[14].Value.Reg64 = source.R14;
        registers[15].Value.Reg64 = source.R15;
        registers[16].Value.Reg64 = source.Rip;
        registers[17].Value.Reg64 = source.Rflags;
    }

    public static void Write(in GeneralRegisters source, ref HvVpRegisterPage page)
    {
        page.Rax = source.Rax;
        page.Rcx = source.Rcx;
        page.Rdx = source.Rdx;
        page.Rbx = source.Rbx;
        page.Rsp = source.Rsp;
        page.Rbp = source.Rbp;
        page.Rsi = source.Rsi;
        page.Rdi = source.Rdi;
        page.R8 = source.R8;
        page.R9 = source.R9;
        page.R10 = source.R10;
        page.R11 = source.R11;
        page.R12 = source.R12;
        page.R13 = source.R13;
        page.R14 = source.R14;
        page.R15 = source.R15;
        page.Rip = source.Rip;
        page.Rflags = source.Rflags;
    }
}
