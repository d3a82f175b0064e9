using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Integer products, and sums of neighbouring elements.</summary>
internal static class PackedProducts
{
    public static Vector128<byte> Compute(VectorOp op, Vector128<byte> a, Vector128<byte> b, byte immediate) => op switch
    {
        VectorOp.Pmullw => (a.AsInt16() * b.AsInt16()).AsByte(),
        VectorOp.Pmulld => (a.AsInt32() * b.AsInt32()).AsByte(),
        VectorOp.Pmulhw => MultiplyHigh(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Pmulhuw => MultiplyHigh(a.AsUInt16(), b.AsUInt16()).AsByte(),
        VectorOp.Pmulhrsw => MultiplyRounded(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Pmuldq => ((a.AsInt64() << 32 >> 32) * (b.AsInt64() << 32 >> 32)).AsByte(),
        VectorOp.Pmuludq => ((a.AsUInt64() << 32 >> 32) * (b.AsUInt64() << 32 >> 32)).AsByte(),
        VectorOp.Pmaddwd => MultiplyAdd(a.AsInt32(), b.AsInt32()).AsByte(),
        VectorOp.Pmaddubsw => MultiplyAdd(a.AsUInt16(), b.AsInt16()).AsByte(),
        VectorOp.Psadbw => SumDifferences(a, b).AsByte(),
        VectorOp.Phminposuw => FindMinimum(b.AsUInt16()).AsByte(),
        VectorOp.Mpsadbw => SumDifferences(a, b, immediate).AsByte(),
        VectorOp.Phaddw => (EvenWords(a, b) + OddWords(a, b)).AsByte(),
        VectorOp.Phaddd => (EvenDoublewords(a, b) + OddDoublewords(a, b)).AsByte(),
        VectorOp.Phaddsw => Vector128.AddSaturate(EvenWords(a, b), OddWords(a, b)).AsByte(),
        VectorOp.Phsubw => (EvenWords(a, b) - OddWords(a, b)).AsByte(),
        VectorOp.Phsubd => (EvenDoublewords(a, b) - OddDoublewords(a, b)).AsByte(),
        _ => Vector128.SubtractSaturate(EvenWords(a, b), OddWords(a, b)).AsByte(),
    };

    private static Vector128<short> EvenWords(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Narrow(a.AsInt32(), b.AsInt32());

    private static Vector128<short> OddWords(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Narrow(a.AsInt32() >> 16, b.AsInt32() >> 16);

    private static Vector128<int> EvenDoublewords(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Narrow(a.AsInt64(), b.AsInt64());

    private static Vector128<int> OddDoublewords(Vector128<byte> a, Vector128<byte> b) =>
        Vector128.Narrow(a.AsInt64() >> 32, b.AsInt64() >> 32);

    private static Vector128<short> MultiplyHigh(Vector128<short> a, Vector128<short> b) => Vector128.Narrow(
        (Vector128.WidenLower(a) * Vector128.WidenLower(b)) >> 16,
        (Vector128.WidenUpper(a) * Vector128.WidenUpper(b)) >> 16);

    private static Vector128<ushort> MultiplyHigh(Vector128<ushort> a, Vector128<ushort> b) => Vector128.Narrow(
        (Vector128.WidenLower(a) * Vector128.WidenLower(b)) >> 16,
        (Vector128.WidenUpper(a) * Vector128.WidenUpper(b)) >> 16);

    private static Vector128<short> MultiplyRounded(Vector128<short> a, Vector128<short> b)
    {
        Vector128<int> low = Vector128.WidenLower(a) * Vector128.WidenLower(b);
        Vector128<int> high = Vector128.WidenUpper(a) * Vector128.WidenUpper(b);
        return Vector128.Narrow(((low >> 14) + Vector128<int>.One) >> 1, ((high >> 14) + Vector128<int>.One) >> 1);
    }

    /// <summary>PMADDWD: the sums wrap only where all four factors are the lowest number.</summary>
    private static Vector128<int> MultiplyAdd(Vector128<int> a, Vector128<int> b) =>
        ((a << 16 >> 16) * (b << 16 >> 16)) + ((a >> 16) * (b >> 16));

    /// <summary>PMADDUBSW: unsigned bytes times signed ones; a product fits into 16 bits, a sum is saturated.</summary>
    private static Vector128<short> MultiplyAdd(Vector128<ushort> a, Vector128<short> b)
    {
        Vector128<short> even = (a & Vector128.Create((ushort)0xFF)).AsInt16() * (b << 8 >> 8);
        Vector128<short> odd = (a >> 8).AsInt16() * (b >> 8);
        return Vector128.AddSaturate(even, odd);
    }

    private static Vector128<ulong> SumDifferences(Vector128<byte> a, Vector128<byte> b)
    {
        Vector128<byte> difference = Vector128.Max(a, b) - Vector128.Min(a, b);
        ulong low = 0;
        ulong high = 0;
        for (int i = 0; i < 8; i++)
        {
            low += difference[i];
            high += difference[i + 8];
        }

        return Vector128.Create(low, high);
    }

    /// <summary>MPSADBW: four bytes of the source against eight overlapping fours of the destination.</summary>
    private static Vector128<ushort> SumDifferences(Vector128<byte> a, Vector128<byte> b, byte immediate)
    {
        int startA = immediate & 4;
        int startB = (immediate & 3) * 4;
        Vector128<ushort> result = default;
        for (int i = 0; i < 8; i++)
        {
            int sum = 0;
            for (int j = 0; j < 4; j++)
            {
                sum += Math.Abs(a[startA + i + j] - b[startB + j]);
            }

            result = result.WithElement(i, (ushort)sum);
        }

        return result;
    }

    /// <summary>PHMINPOSUW: the least element, and the first place that holds it.</summary>
    private static Vector128<ushort> FindMinimum(Vector128<ushort> values)
    {
        int index = 0;
        for (int i = 1; i < 8; i++)
        {
            index = values[i] < values[index] ? i : index;
        }

        return Vector128<ushort>.Zero.WithElement(0, values[index]).WithElement(1, (ushort)index);
    }
}
