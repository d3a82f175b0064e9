using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Integers of 1, 2, 4 or 8 bytes in 64 bits.</summary>
/// <remarks>A count to shift by has six bits: the negative number of bits of a value is that of the bits that it does not use.</remarks>
internal static class SizedInteger
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Truncate(ulong value, int size) => Bmi2.X64.IsSupported
        ? Bmi2.X64.ZeroHighBits(value, (ulong)(uint)(8 * size))
        : value << (-8 * size) >> (-8 * size);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value, int size) =>
        (ulong)((long)(value << (-8 * size)) >> (-8 * size));
}
