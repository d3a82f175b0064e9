using Hyperlight.Abstractions;
using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>Debug registers: translated between the contract and the platform, whose names are consecutive.</summary>
internal static class DebugRegisterSet
{
    public const int Count = 6;

    public const uint First = WhvRegisterNames.WHvX64RegisterDr0;

    public static DebugRegisters Read(ReadOnlySpan<WhvRegisterValue> values) => new()
    {
        Dr0 = values[0].Reg64,
        Dr1 = values[1].Reg64,
        Dr2 = values[2].Reg64,
        Dr3 = values[3].Reg64,
        Dr6 = values[4].Reg64,
        Dr7 = values[5].Reg64,
    };

    public static void Write(in DebugRegisters source, Span<WhvRegisterValue> values)
    {
        values[0].Reg64 = source.Dr0;
        values[1].Reg64 = source.Dr1;
        values[2].Reg64 = source.Dr2;
        values[3].Reg64 = source.Dr3;
        values[4].Reg64 = source.Dr6;
        values[5].Reg64 = source.Dr7;
    }
}
