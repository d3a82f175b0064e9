using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Elements of a vector of floating-point numbers.</summary>
internal static class FloatElements
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong GetElement(Vector128<byte> vector, bool isDouble, int index) =>
        isDouble ? vector.AsUInt64()[index] : vector.AsUInt32()[index];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> WithElement(Vector128<byte> vector, bool isDouble, int index, ulong value) => isDouble
        ? vector.AsUInt64().WithElement(index, value).AsByte()
        : vector.AsUInt32().WithElement(index, (uint)value).AsByte();
}
