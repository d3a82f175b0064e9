using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>General registers, RIP and RFLAGS: translated between the contract and the platform, whose names are consecutive.</summary>
internal static class GeneralRegisterSet
{
    public const int Count = 18;

    public const uint First = WhvRegisterNames.WHvX64RegisterRax;

    public static GeneralRegisters Read(ReadOnlySpan<WhvRegisterValue> values) => new()
    {
        Rax = values[0].Reg64,
        Rcx = values[1].Reg64,
        Rdx = values[2].Reg64,
        Rbx = values[3].Reg64,
        Rsp = values[4].Reg64,
        Rbp = values[5].Reg64,
        Rsi = values[6].Reg64,
        Rdi = values[7].Reg64,
        R8 = values[8].Reg64,
        R9 = values[9].Reg64,
        R10 = values[10].Reg64,
        R11 = values[11].Reg64,
        R12 = values[12].Reg64,
        R13 = values[13].Reg64,
        R14 = values[14].Reg64,
        R15 = values[15].Reg64,
        Rip = values[16].Reg64,
        Rflags = values[17].Reg64,
    };

    public static void Write(in GeneralRegisters source, Span<WhvRegisterValue> values)
    {
        values[0].Reg64 = source.Rax;
        values[1].Reg64 = source.Rcx;
        values[2].Reg64 = source.Rdx;
        values[3].Reg64 = source.Rbx;
        values[4].Reg64 = source.Rsp;
        values[5].Reg64 = source.Rbp;
        values[6].Reg64 = source.Rsi;
        values[7].Reg64 = source.Rdi;
        values[8].Reg64 = source.R8;
        values[9].Reg64 = source.R9;
        values[10].Reg64 = source.R10;
        values[11].Reg64 = source.R11;
        values[12].Reg64 = source.R12;
        values[13].Reg64 = source.R13;
        values[14].Reg64 = source.R14;
        values[15].Reg64 = source.R15;
        values[16].Reg64 = source.Rip;
        values[17].Reg64 = source.Rflags;
    }
}
