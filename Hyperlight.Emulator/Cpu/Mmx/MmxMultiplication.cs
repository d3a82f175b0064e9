using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Products of MMX elements, and sums of differences.</summary>
internal static class MmxMultiplication
{
    private const int Words = 4;

    public static ulong Compute(MmxOp operation, Vector64<ulong> x, Vector64<ulong> y) => operation switch
    {
        MmxOp.MultiplyLow => (x.AsUInt16() * y.AsUInt16()).AsUInt64().ToScalar(),
        MmxOp.MultiplyDoublewords => (ulong)(uint)x.ToScalar() * (uint)y.ToScalar(),
        MmxOp.MultiplyAdd => MultiplyAdd(x.AsInt16(), y.AsInt16()),
        MmxOp.MultiplyAddBytes => MultiplyAddBytes(x.AsByte(), y.AsSByte()),
        MmxOp.SumOfDifferences => SumOfDifferences(x.AsByte(), y.AsByte()),
        _ => MultiplyHigh(operation, x, y),
    };

    private static ulong MultiplyHigh(MmxOp operation, Vector64<ulong> x, Vector64<ulong> y)
    {
        ulong result = 0;
        for (int i = 0; i < Words; i++)
        {
            int signed = x.AsInt16()[i] * y.AsInt16()[i];
            int word = operation switch
            {
                MmxOp.MultiplyHigh => signed >> 16,
                MmxOp.MultiplyHighRounded => ((signed >> 14) + 1) >> 1,
                _ => (int)(((uint)x.AsUInt16()[i] * y.AsUInt16()[i]) >> 16),
            };
            result |= (ulong)(ushort)word << (16 * i);
        }

        return result;
    }

    private static ulong MultiplyAdd(Vector64<short> x, Vector64<short> y) =>
        (uint)unchecked((x[0] * y[0]) + (x[1] * y[1]))
        | ((ulong)(uint)unchecked((x[2] * y[2]) + (x[3] * y[3])) << 32);

    private static ulong MultiplyAddBytes(Vector64<byte> x, Vector64<sbyte> y)
    {
        ulong result = 0;
        for (int i = 0; i < Words; i++)
        {
            int sum = (x[2 * i] * y[2 * i]) + (x[(2 * i) + 1] * y[(2 * i) + 1]);
            result |= (ulong)(ushort)Math.Clamp(sum, short.MinValue, short.MaxValue) << (16 * i);
        }

        return result;
    }

    private static ulong SumOfDifferences(Vector64<byte> x, Vector64<byte> y)
    {
        int sum = 0;
        for (int i = 0; i < Vector64<byte>.Count; i++)
        {
            sum += Math.Abs(x[i] - y[i]);
        }

        return (ulong)sum;
    }
}
