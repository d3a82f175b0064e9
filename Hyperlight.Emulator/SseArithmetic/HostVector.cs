using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.SseArithmetic;

/// <summary>
/// As <see cref="HostFloat"/>, of whole vectors, and only once it does not matter any more whether results are exact.
/// </summary>
internal static class HostVector
{
    /// <param name="op">What to compute.</param>
    /// <param name="isDouble">Whether the elements are of double precision.</param>
    /// <param name="mayRound">Whether the host rounds as it is wanted.</param>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="result">What was computed.</param>
    public static bool TryCompute(
        VectorOp op, bool isDouble, bool mayRound, Vector128<byte> a, Vector128<byte> b, out Vector128<byte> result)
    {
        bool isComputed = false;
        result = default;
        if (op is VectorOp.Minimum or VectorOp.Maximum)
        {
            isComputed = isDouble
                ? ArePlain(a.AsDouble()) && ArePlain(b.AsDouble())
                : ArePlain(a.AsSingle()) && ArePlain(b.AsSingle());
            (Vector128<byte> low, Vector128<byte> high) = op == VectorOp.Minimum ? (a, b) : (b, a);
            Vector128<byte> isFirst = isDouble
                ? Vector128.LessThan(low.AsDouble(), high.AsDouble()).AsByte()
                : Vector128.LessThan(low.AsSingle(), high.AsSingle()).AsByte();
            result = Vector128.ConditionalSelect(isFirst, a, b);
        }
        else if (mayRound && isDouble)
        {
            isComputed = TryCompute(op, a.AsDouble(), b.AsDouble(), out Vector128<double> doubles);
            result = doubles.AsByte();
        }
        else if (mayRound)
        {
            isComputed = TryCompute(op, a.AsSingle(), b.AsSingle(), out Vector128<float> singles);
            result = singles.AsByte();
        }

        return isComputed;
    }

    private static bool TryCompute(VectorOp op, Vector128<float> a, Vector128<float> b, out Vector128<float> result)
    {
        result = default;
        if (!ArePlain(a) || !ArePlain(b))
        {
            return false;
        }

        Vector128<float> exact = Vector128.Equals(a, default);
        switch (op)
        {
            case VectorOp.Add:
                result = a + b;
                exact = Vector128.Equals(result, default);
                break;
            case VectorOp.Subtract:
                result = a - b;
                exact = Vector128.Equals(result, default);
                break;
            case VectorOp.Multiply:
                result = a * b;
                exact |= Vector128.Equals(b, default);
                break;
            case VectorOp.Divide when !Vector128.EqualsAny(b, default):
                result = a / b;
                break;
            default:
                return false;
        }

        Vector128<uint> magnitude = result.AsUInt32() & Vector128.Create(uint.MaxValue >> 1);
        Vector128<uint> large = Vector128.LessThan(magnitude - Vector128.Create(2u << 23), Vector128.Create(0xFDu << 23));
        return (large | exact.AsUInt32()) == Vector128<uint>.AllBitsSet;
    }

    private static bool TryCompute(VectorOp op, Vector128<double> a, Vector128<double> b, out Vector128<double> result)
    {
        result = default;
        if (!ArePlain(a) || !ArePlain(b))
        {
            return false;
        }

        Vector128<double> exact = Vector128.Equals(a, default);
        switch (op)
        {
            case VectorOp.Add:
                result = a + b;
                exact = Vector128.Equals(result, default);
                break;
            case VectorOp.Subtract:
                result = a - b;
                exact = Vector128.Equals(result, default);
                break;
            case VectorOp.Multiply:
                result = a * b;
                exact |= Vector128.Equals(b, default);
                break;
            case VectorOp.Divide when !Vector128.EqualsAny(b, default):
                result = a / b;
                break;
            default:
                return false;
        }

        Vector128<ulong> magnitude = result.AsUInt64() & Vector128.Create(ulong.MaxValue >> 1);
        Vector128<ulong> large =
            Vector128.LessThan(magnitude - Vector128.Create(2UL << 52), Vector128.Create(0x7FDUL << 52));
        return (large | exact.AsUInt64()) == Vector128<ulong>.AllBitsSet;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ArePlain(Vector128<float> value)
    {
        Vector128<uint> magnitude = value.AsUInt32() & Vector128.Create(uint.MaxValue >> 1);
        Vector128<uint> normal =
            Vector128.LessThan(magnitude - Vector128.Create(1u << 23), Vector128.Create(0xFEu << 23));
        return (normal | Vector128.Equals(magnitude, default)) == Vector128<uint>.AllBitsSet;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool ArePlain(Vector128<double> value)
    {
        Vector128<ulong> magnitude = value.AsUInt64() & Vector128.Create(ulong.MaxValue >> 1);
        Vector128<ulong> normal =
            Vector128.LessThan(magnitude - Vector128.Create(1UL << 52), Vector128.Create(0x7FEUL << 52));
        return (normal | Vector128.Equals(magnitude, default)) == Vector128<ulong>.AllBitsSet;
    }
}
