using System.Runtime.CompilerServices;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Integers of 1, 2, 4 or 8 bytes in 64 bits.</summary>
internal static class SizedInteger
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Truncate(ulong value, int size) => value << (64 - (8 * size)) >> (64 - (8 * size));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong SignExtend(ulong value, int size) =>
        (ulong)((long)(value << (64 - (8 * size))) >> (64 - (8 * size)));
}
