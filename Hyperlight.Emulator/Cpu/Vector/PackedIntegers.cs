using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Integer arithmetic in which each element of the result follows from the same elements of the operands.</summary>
internal static class PackedIntegers
{
    public static Vector128<byte> Compute(VectorOp op, Vector128<byte> a, Vector128<byte> b) => op switch
    {
        VectorOp.Paddb => a + b,
        VectorOp.Paddw => (a.AsInt16() + b.AsInt16()).AsByte(),
        VectorOp.Paddd => (a.AsInt32() + b.AsInt32()).AsByte(),
        VectorOp.Paddq => (a.AsInt64() + b.AsInt64()).AsByte(),
        VectorOp.Paddsb => Vector128.AddSaturate(a.AsSByte(), b.AsSByte()).AsByte(),
        VectorOp.Paddsw => Vector128.AddSaturate(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Paddusb => Vector128.AddSaturate(a, b),
        VectorOp.Paddusw => Vector128.AddSaturate(a.AsUInt16(), b.AsUInt16()).AsByte(),
        VectorOp.Psubb => a - b,
        VectorOp.Psubw => (a.AsInt16() - b.AsInt16()).AsByte(),
        VectorOp.Psubd => (a.AsInt32() - b.AsInt32()).AsByte(),
        VectorOp.Psubq => (a.AsInt64() - b.AsInt64()).AsByte(),
        VectorOp.Psubsb => Vector128.SubtractSaturate(a.AsSByte(), b.AsSByte()).AsByte(),
        VectorOp.Psubsw => Vector128.SubtractSaturate(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Psubusb => Vector128.SubtractSaturate(a, b),
        VectorOp.Psubusw => Vector128.SubtractSaturate(a.AsUInt16(), b.AsUInt16()).AsByte(),
        <= VectorOp.Psignd => ComputeUnary(op, a, b),
        <= VectorOp.Pminud => ComputeExtreme(op, a, b),
        _ => ComputeComparison(op, a, b),
    };

    private static Vector128<byte> ComputeUnary(VectorOp op, Vector128<byte> a, Vector128<byte> b) => op switch
    {
        // The average rounds up, and its sum needs no carry this way.
        VectorOp.Pavgb => (a | b) - ((a ^ b) >> 1),
        VectorOp.Pavgw => ((a | b).AsUInt16() - ((a ^ b).AsUInt16() >> 1)).AsByte(),

        // The lowest number has no absolute value, and keeps its bits.
        VectorOp.Pabsb => Vector128.Abs(b.AsSByte()).AsByte(),
        VectorOp.Pabsw => Vector128.Abs(b.AsInt16()).AsByte(),
        VectorOp.Pabsd => Vector128.Abs(b.AsInt32()).AsByte(),
        VectorOp.Psignb => ApplySign(a.AsSByte(), b.AsSByte()).AsByte(),
        VectorOp.Psignw => ApplySign(a.AsInt16(), b.AsInt16()).AsByte(),
        _ => ApplySign(a.AsInt32(), b.AsInt32()).AsByte(),
    };

    private static Vector128<T> ApplySign<T>(Vector128<T> a, Vector128<T> b)
    {
        Vector128<T> negated = Vector128.ConditionalSelect(Vector128.LessThan(b, Vector128<T>.Zero), -a, a);
        return Vector128.AndNot(negated, Vector128.Equals(b, Vector128<T>.Zero));
    }

    private static Vector128<byte> ComputeExtreme(VectorOp op, Vector128<byte> a, Vector128<byte> b) => op switch
    {
        VectorOp.Pmaxsb => Vector128.Max(a.AsSByte(), b.AsSByte()).AsByte(),
        VectorOp.Pmaxsw => Vector128.Max(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Pmaxsd => Vector128.Max(a.AsInt32(), b.AsInt32()).AsByte(),
        VectorOp.Pmaxub => Vector128.Max(a, b),
        VectorOp.Pmaxuw => Vector128.Max(a.AsUInt16(), b.AsUInt16()).AsByte(),
        VectorOp.Pmaxud => Vector128.Max(a.AsUInt32(), b.AsUInt32()).AsByte(),
        VectorOp.Pminsb => Vector128.Min(a.AsSByte(), b.AsSByte()).AsByte(),
        VectorOp.Pminsw => Vector128.Min(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Pminsd => Vector128.Min(a.AsInt32(), b.AsInt32()).AsByte(),
        VectorOp.Pminub => Vector128.Min(a, b),
        VectorOp.Pminuw => Vector128.Min(a.AsUInt16(), b.AsUInt16()).AsByte(),
        _ => Vector128.Min(a.AsUInt32(), b.AsUInt32()).AsByte(),
    };

    private static Vector128<byte> ComputeComparison(VectorOp op, Vector128<byte> a, Vector128<byte> b) => op switch
    {
        VectorOp.Pcmpeqb => Vector128.Equals(a, b),
        VectorOp.Pcmpeqw => Vector128.Equals(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Pcmpeqd => Vector128.Equals(a.AsInt32(), b.AsInt32()).AsByte(),
        VectorOp.Pcmpeqq => Vector128.Equals(a.AsInt64(), b.AsInt64()).AsByte(),
        VectorOp.Pcmpgtb => Vector128.GreaterThan(a.AsSByte(), b.AsSByte()).AsByte(),
        VectorOp.Pcmpgtw => Vector128.GreaterThan(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Pcmpgtd => Vector128.GreaterThan(a.AsInt32(), b.AsInt32()).AsByte(),
        _ => Vector128.GreaterThan(a.AsInt64(), b.AsInt64()).AsByte(),
    };
}
