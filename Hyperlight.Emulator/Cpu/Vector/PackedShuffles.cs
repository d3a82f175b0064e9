using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions that put elements elsewhere, or give them another width.</summary>
internal static class PackedShuffles
{
    /// <param name="op">What to do.</param>
    /// <param name="a">The destination operand.</param>
    /// <param name="b">The source operand.</param>
    /// <param name="mask">XMM0, which some blends take implicitly.</param>
    /// <param name="immediate">The immediate operand, if there is one.</param>
    public static Vector128<byte> Compute(
        VectorOp op, Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask, byte immediate) => op switch
        {
            <= VectorOp.Packusdw => Pack(op, a, b),
            <= VectorOp.Punpckhqdq => Interleave(op, a, b),
            <= VectorOp.Palignr => Shuffle(op, a, b, immediate),
            <= VectorOp.Blendpd => Blend(op, a, b, mask, immediate),
            _ => Extend(op, b),
        };

    private static Vector128<byte> Pack(VectorOp op, Vector128<byte> a, Vector128<byte> b) => op switch
    {
        VectorOp.Packsswb => Vector128.NarrowWithSaturation(a.AsInt16(), b.AsInt16()).AsByte(),
        VectorOp.Packssdw => Vector128.NarrowWithSaturation(a.AsInt32(), b.AsInt32()).AsByte(),
        VectorOp.Packuswb => Vector128.Narrow(ClampToByte(a.AsInt16()), ClampToByte(b.AsInt16())),
        _ => Vector128.Narrow(ClampToWord(a.AsInt32()), ClampToWord(b.AsInt32())).AsByte(),
    };

    private static Vector128<ushort> ClampToByte(Vector128<short> value) =>
        Vector128.Min(Vector128.Max(value, Vector128<short>.Zero), Vector128.Create((short)byte.MaxValue)).AsUInt16();

    private static Vector128<uint> ClampToWord(Vector128<int> value) =>
        Vector128.Min(Vector128.Max(value, Vector128<int>.Zero), Vector128.Create((int)ushort.MaxValue)).AsUInt32();

    private static Vector128<byte> Interleave(VectorOp op, Vector128<byte> a, Vector128<byte> b) => op switch
    {
        VectorOp.Punpcklbw => (Vector128.WidenLower(a) | (Vector128.WidenLower(b) << 8)).AsByte(),
        VectorOp.Punpckhbw => (Vector128.WidenUpper(a) | (Vector128.WidenUpper(b) << 8)).AsByte(),
        VectorOp.Punpcklwd =>
            (Vector128.WidenLower(a.AsUInt16()) | (Vector128.WidenLower(b.AsUInt16()) << 16)).AsByte(),
        VectorOp.Punpckhwd =>
            (Vector128.WidenUpper(a.AsUInt16()) | (Vector128.WidenUpper(b.AsUInt16()) << 16)).AsByte(),
        VectorOp.Punpckldq =>
            (Vector128.WidenLower(a.AsUInt32()) | (Vector128.WidenLower(b.AsUInt32()) << 32)).AsByte(),
        VectorOp.Punpckhdq =>
            (Vector128.WidenUpper(a.AsUInt32()) | (Vector128.WidenUpper(b.AsUInt32()) << 32)).AsByte(),
        VectorOp.Punpcklqdq => Vector128.Create(a.GetLower(), b.GetLower()),
        _ => Vector128.Create(a.GetUpper(), b.GetUpper()),
    };

    private static Vector128<byte> Shuffle(VectorOp op, Vector128<byte> a, Vector128<byte> b, byte immediate) => op switch
    {
        // A mask byte with its highest bit set gives zero: so does an index beyond the vector.
        VectorOp.Pshufb => Vector128.Shuffle(a, b & Vector128.Create((byte)0x8F)),
        VectorOp.Pshufd => Vector128.Shuffle(b.AsUInt32(), Indices(immediate)).AsByte(),
        VectorOp.Pshuflw => ShuffleWords(b.AsUInt64(), 0, immediate),
        VectorOp.Pshufhw => ShuffleWords(b.AsUInt64(), 1, immediate),
        VectorOp.Shufps => Vector128.Create(
            Vector128.Shuffle(a.AsUInt32(), Indices(immediate)).GetLower(),
            Vector128.Shuffle(b.AsUInt32(), Indices(immediate)).GetUpper()).AsByte(),
        VectorOp.Shufpd => Vector128.Create(a.AsUInt64()[immediate & 1], b.AsUInt64()[immediate >> 1 & 1]).AsByte(),
        _ => Align(ToInteger(a), ToInteger(b), immediate),
    };

    private static Vector128<uint> Indices(uint immediate) =>
        Vector128.Create(immediate & 3, immediate >> 2 & 3, immediate >> 4 & 3, immediate >> 6);

    private static Vector128<byte> ShuffleWords(Vector128<ulong> value, int half, byte immediate)
    {
        ulong words = value[half];
        ulong result = 0;
        for (int i = 0; i < 4; i++)
        {
            int index = immediate >> (2 * i) & 3;
            result |= (ulong)(ushort)(words >> (16 * index)) << (16 * i);
        }

        return value.WithElement(half, result).AsByte();
    }

    /// <summary>PALIGNR: 16 bytes out of both operands, of which <paramref name="high"/> is the upper one.</summary>
    private static Vector128<byte> Align(UInt128 high, UInt128 low, int count) => ToVector(count switch
    {
        0 => low,
        < 16 => (low >> (8 * count)) | (high << (128 - (8 * count))),
        < 32 => high >> (8 * (count - 16)),
        _ => UInt128.Zero,
    });

    private static Vector128<byte> Blend(
        VectorOp op, Vector128<byte> a, Vector128<byte> b, Vector128<byte> mask, byte immediate) =>
        Vector128.ConditionalSelect(
            op switch
            {
                VectorOp.Pblendvb => (mask.AsSByte() >> 7).AsByte(),
                VectorOp.Blendvps => (mask.AsInt32() >> 31).AsByte(),
                VectorOp.Blendvpd => (mask.AsInt64() >> 63).AsByte(),
                VectorOp.Pblendw => SelectByBits(
                    immediate, Vector128.Create((ushort)1, 2, 4, 8, 16, 32, 64, 128)).AsByte(),
                VectorOp.Blendps => SelectByBits((uint)immediate, Vector128.Create(1u, 2, 4, 8)).AsByte(),
                _ => SelectByBits((ulong)immediate, Vector128.Create(1UL, 2)).AsByte(),
            },
            b,
            a);

    /// <summary>All bits of each element whose own bit is set.</summary>
    private static Vector128<T> SelectByBits<T>(T bits, Vector128<T> own) =>
        Vector128.Equals(Vector128.Create(bits) & own, own);

    private static Vector128<byte> Extend(VectorOp op, Vector128<byte> b) => op switch
    {
        VectorOp.Pmovsxbw => Words(b.AsSByte()).AsByte(),
        VectorOp.Pmovsxbd => Vector128.WidenLower(Words(b.AsSByte())).AsByte(),
        VectorOp.Pmovsxbq => Vector128.WidenLower(Vector128.WidenLower(Words(b.AsSByte()))).AsByte(),
        VectorOp.Pmovsxwd => Vector128.WidenLower(b.AsInt16()).AsByte(),
        VectorOp.Pmovsxwq => Vector128.WidenLower(Vector128.WidenLower(b.AsInt16())).AsByte(),
        VectorOp.Pmovsxdq => Vector128.WidenLower(b.AsInt32()).AsByte(),
        VectorOp.Pmovzxbw => Vector128.WidenLower(b).AsByte(),
        VectorOp.Pmovzxbd => Vector128.WidenLower(Vector128.WidenLower(b)).AsByte(),
        VectorOp.Pmovzxbq => Vector128.WidenLower(Vector128.WidenLower(Vector128.WidenLower(b))).AsByte(),
        VectorOp.Pmovzxwd => Vector128.WidenLower(b.AsUInt16()).AsByte(),
        VectorOp.Pmovzxwq => Vector128.WidenLower(Vector128.WidenLower(b.AsUInt16())).AsByte(),
        _ => Vector128.WidenLower(b.AsUInt32()).AsByte(),
    };

    private static Vector128<short> Words(Vector128<sbyte> value) => Vector128.WidenLower(value);

    private static UInt128 ToInteger(Vector128<byte> value) => Unsafe.BitCast<Vector128<byte>, UInt128>(value);

    private static Vector128<byte> ToVector(UInt128 value) => Unsafe.BitCast<UInt128, Vector128<byte>>(value);
}
