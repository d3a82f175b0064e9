using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Packing, unpacking and shuffling of MMX elements.</summary>
internal static class MmxArrangement
{
    public static ulong Pack(MmxOp operation, Vector64<ulong> x, Vector64<ulong> y) => operation switch
    {
        MmxOp.PackSignedWords => Vector64.Narrow(
            Vector64.Clamp(x.AsInt16(), Vector64.Create((short)sbyte.MinValue), Vector64.Create((short)sbyte.MaxValue)),
            Vector64.Clamp(y.AsInt16(), Vector64.Create((short)sbyte.MinValue), Vector64.Create((short)sbyte.MaxValue)))
            .AsUInt64().ToScalar(),
        MmxOp.PackSignedDoublewords => Vector64.Narrow(
            Vector64.Clamp(x.AsInt32(), Vector64.Create((int)short.MinValue), Vector64.Create((int)short.MaxValue)),
            Vector64.Clamp(y.AsInt32(), Vector64.Create((int)short.MinValue), Vector64.Create((int)short.MaxValue)))
            .AsUInt64().ToScalar(),
        MmxOp.PackUnsignedWords => Vector64.Narrow(
            Vector64.Clamp(x.AsInt16(), Vector64<short>.Zero, Vector64.Create((short)byte.MaxValue)).AsUInt16(),
            Vector64.Clamp(y.AsInt16(), Vector64<short>.Zero, Vector64.Create((short)byte.MaxValue)).AsUInt16())
            .AsUInt64().ToScalar(),
        MmxOp.UnpackLowBytes => Interleave((uint)x.ToScalar(), (uint)y.ToScalar(), 8),
        MmxOp.UnpackLowWords => Interleave((uint)x.ToScalar(), (uint)y.ToScalar(), 16),
        MmxOp.UnpackLowDoublewords => Interleave((uint)x.ToScalar(), (uint)y.ToScalar(), 32),
        MmxOp.UnpackHighBytes => Interleave(x.ToScalar() >> 32, y.ToScalar() >> 32, 8),
        MmxOp.UnpackHighWords => Interleave(x.ToScalar() >> 32, y.ToScalar() >> 32, 16),
        _ => Interleave(x.ToScalar() >> 32, y.ToScalar() >> 32, 32),
    };

    public static ulong Shuffle(MmxOp operation, ulong a, ulong b, byte control)
    {
        switch (operation)
        {
            case MmxOp.ShuffleWords:
                ulong words = 0;
                for (int i = 0; i < 4; i++)
                {
                    words |= (b >> (16 * ((control >> (2 * i)) & 3)) & 0xFFFF) << (16 * i);
                }

                return words;
            case MmxOp.ShuffleBytes:
                ulong bytes = 0;
                for (int i = 0; i < 8; i++)
                {
                    int selector = (int)(b >> (8 * i)) & 0xFF;
                    bytes |= (selector >= 0x80 ? 0 : a >> (8 * (selector & 7)) & 0xFF) << (8 * i);
                }

                return bytes;
            default:
                return control >= 16 ? 0 : (ulong)(new UInt128(a, b) >> (8 * control));
        }
    }

    /// <summary>Elements of the low halves in turn.</summary>
    private static ulong Interleave(ulong x, ulong y, int bits)
    {
        ulong mask = (1UL << bits) - 1;
        ulong result = 0;
        for (int i = 0; i < 32; i += bits)
        {
            result |= ((x >> i) & mask) << (2 * i);
            result |= ((y >> i) & mask) << ((2 * i) + bits);
        }

        return result;
    }
}
