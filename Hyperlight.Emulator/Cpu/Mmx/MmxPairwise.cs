using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The SSSE3 instructions on neighbouring elements and on signs, for MMX registers.</summary>
internal static class MmxPairwise
{
    public static ulong Compute(MmxOp operation, Vector64<ulong> x, Vector64<ulong> y) => operation switch
    {
        MmxOp.HorizontalAddWords or MmxOp.HorizontalAddSigned or MmxOp.HorizontalSubtractWords
            or MmxOp.HorizontalSubtractSigned => CombineWords(operation, x.AsInt16(), y.AsInt16()),
        MmxOp.HorizontalAddDoublewords => Doublewords(
            x.AsUInt32()[0] + x.AsUInt32()[1], y.AsUInt32()[0] + y.AsUInt32()[1]),
        MmxOp.HorizontalSubtractDoublewords => Doublewords(
            x.AsUInt32()[0] - x.AsUInt32()[1], y.AsUInt32()[0] - y.AsUInt32()[1]),
        MmxOp.AbsoluteBytes => ToScalar(Vector64.Abs(y.AsSByte())),
        MmxOp.AbsoluteWords => ToScalar(Vector64.Abs(y.AsInt16())),
        MmxOp.AbsoluteDoublewords => ToScalar(Vector64.Abs(y.AsInt32())),
        MmxOp.SignBytes => ToScalar(Sign(x.AsSByte(), y.AsSByte())),
        MmxOp.SignWords => ToScalar(Sign(x.AsInt16(), y.AsInt16())),
        _ => ToScalar(Sign(x.AsInt32(), y.AsInt32())),
    };

    private static ulong CombineWords(MmxOp operation, Vector64<short> x, Vector64<short> y)
    {
        ulong result = 0;
        for (int i = 0; i < 4; i++)
        {
            Vector64<short> source = i < 2 ? x : y;
            int first = source[2 * (i & 1)];
            int second = source[(2 * (i & 1)) + 1];
            int value = operation switch
            {
                MmxOp.HorizontalAddWords => first + second,
                MmxOp.HorizontalSubtractWords => first - second,
                MmxOp.HorizontalAddSigned => Math.Clamp(first + second, short.MinValue, short.MaxValue),
                _ => Math.Clamp(first - second, short.MinValue, short.MaxValue),
            };
            result |= (ulong)(ushort)value << (16 * i);
        }

        return result;
    }

    private static ulong Doublewords(uint low, uint high) => low | ((ulong)high << 32);

    private static Vector64<T> Sign<T>(Vector64<T> x, Vector64<T> y)
    {
        Vector64<T> negated = Vector64.ConditionalSelect(Vector64.LessThan(y, Vector64<T>.Zero), Vector64.Negate(x), x);
        return Vector64.AndNot(negated, Vector64.Equals(y, Vector64<T>.Zero));
    }

    private static ulong ToScalar<T>(Vector64<T> value) => value.As<T, ulong>().ToScalar();
}
