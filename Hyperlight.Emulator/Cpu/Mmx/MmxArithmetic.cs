using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Results of the instructions that take two MMX values and give one.</summary>
internal static class MmxArithmetic
{
    public static ulong Compute(MmxOp operation, ulong a, ulong b, byte control)
    {
        Vector64<ulong> x = Vector64.Create(a);
        Vector64<ulong> y = Vector64.Create(b);
        return operation switch
        {
            <= MmxOp.SubtractUnsignedWords => AddOrSubtract(operation, x, y),
            MmxOp.And => a & b,
            MmxOp.AndNot => ~a & b,
            MmxOp.Or => a | b,
            MmxOp.Xor => a ^ b,
            <= MmxOp.AverageWords => Compare(operation, x, y),
            <= MmxOp.SumOfDifferences => MmxMultiplication.Compute(operation, x, y),
            <= MmxOp.UnpackHighDoublewords => MmxArrangement.Pack(operation, x, y),
            <= MmxOp.ShiftArithmeticDoublewords => Shift(operation, x, b),
            <= MmxOp.AlignRight => MmxArrangement.Shuffle(operation, a, b, control),
            _ => MmxPairwise.Compute(operation, x, y),
        };
    }

    private static ulong AddOrSubtract(MmxOp operation, Vector64<ulong> x, Vector64<ulong> y) => operation switch
    {
        MmxOp.AddBytes => ToScalar(x.AsByte() + y.AsByte()),
        MmxOp.AddWords => ToScalar(x.AsUInt16() + y.AsUInt16()),
        MmxOp.AddDoublewords => ToScalar(x.AsUInt32() + y.AsUInt32()),
        MmxOp.AddQuadwords => x.ToScalar() + y.ToScalar(),
        MmxOp.AddSignedBytes => ToScalar(Vector64.AddSaturate(x.AsSByte(), y.AsSByte())),
        MmxOp.AddSignedWords => ToScalar(Vector64.AddSaturate(x.AsInt16(), y.AsInt16())),
        MmxOp.AddUnsignedBytes => ToScalar(Vector64.AddSaturate(x.AsByte(), y.AsByte())),
        MmxOp.AddUnsignedWords => ToScalar(Vector64.AddSaturate(x.AsUInt16(), y.AsUInt16())),
        MmxOp.SubtractBytes => ToScalar(x.AsByte() - y.AsByte()),
        MmxOp.SubtractWords => ToScalar(x.AsUInt16() - y.AsUInt16()),
        MmxOp.SubtractDoublewords => ToScalar(x.AsUInt32() - y.AsUInt32()),
        MmxOp.SubtractQuadwords => x.ToScalar() - y.ToScalar(),
        MmxOp.SubtractSignedBytes => ToScalar(Vector64.SubtractSaturate(x.AsSByte(), y.AsSByte())),
        MmxOp.SubtractSignedWords => ToScalar(Vector64.SubtractSaturate(x.AsInt16(), y.AsInt16())),
        MmxOp.SubtractUnsignedBytes => ToScalar(Vector64.SubtractSaturate(x.AsByte(), y.AsByte())),
        _ => ToScalar(Vector64.SubtractSaturate(x.AsUInt16(), y.AsUInt16())),
    };

    private static ulong Compare(MmxOp operation, Vector64<ulong> x, Vector64<ulong> y) => operation switch
    {
        MmxOp.EqualBytes => ToScalar(Vector64.Equals(x.AsByte(), y.AsByte())),
        MmxOp.EqualWords => ToScalar(Vector64.Equals(x.AsInt16(), y.AsInt16())),
        MmxOp.EqualDoublewords => ToScalar(Vector64.Equals(x.AsInt32(), y.AsInt32())),
        MmxOp.GreaterBytes => ToScalar(Vector64.GreaterThan(x.AsSByte(), y.AsSByte())),
        MmxOp.GreaterWords => ToScalar(Vector64.GreaterThan(x.AsInt16(), y.AsInt16())),
        MmxOp.GreaterDoublewords => ToScalar(Vector64.GreaterThan(x.AsInt32(), y.AsInt32())),
        MmxOp.MinimumBytes => ToScalar(Vector64.Min(x.AsByte(), y.AsByte())),
        MmxOp.MinimumWords => ToScalar(Vector64.Min(x.AsInt16(), y.AsInt16())),
        MmxOp.MaximumBytes => ToScalar(Vector64.Max(x.AsByte(), y.AsByte())),
        MmxOp.MaximumWords => ToScalar(Vector64.Max(x.AsInt16(), y.AsInt16())),

        // Without the bit that a sum would need: the common bits and half of the others, rounded up.
        MmxOp.AverageBytes => ToScalar((x | y).AsByte() - Vector64.ShiftRightLogical((x ^ y).AsByte(), 1)),
        _ => ToScalar((x | y).AsUInt16() - Vector64.ShiftRightLogical((x ^ y).AsUInt16(), 1)),
    };

    /// <summary>Shifts all elements by one count, which may be larger than they are.</summary>
    private static ulong Shift(MmxOp operation, Vector64<ulong> x, ulong count)
    {
        int bits = (int)Math.Min(count, 64);
        return operation switch
        {
            MmxOp.ShiftLeftWords => bits > 15 ? 0 : ToScalar(x.AsUInt16() << bits),
            MmxOp.ShiftLeftDoublewords => bits > 31 ? 0 : ToScalar(x.AsUInt32() << bits),
            MmxOp.ShiftLeftQuadword => bits > 63 ? 0 : x.ToScalar() << bits,
            MmxOp.ShiftRightWords => bits > 15 ? 0 : ToScalar(x.AsUInt16() >>> bits),
            MmxOp.ShiftRightDoublewords => bits > 31 ? 0 : ToScalar(x.AsUInt32() >>> bits),
            MmxOp.ShiftRightQuadword => bits > 63 ? 0 : x.ToScalar() >> bits,
            MmxOp.ShiftArithmeticWords => ToScalar(x.AsInt16() >> Math.Min(bits, 15)),
            _ => ToScalar(x.AsInt32() >> Math.Min(bits, 31)),
        };
    }

    private static ulong ToScalar<T>(Vector64<T> value) => value.As<T, ulong>().ToScalar();
}
