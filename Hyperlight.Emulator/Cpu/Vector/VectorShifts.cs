using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Shifts of all elements by the same count.</summary>
internal sealed unsafe class VectorShifts(XmmFile xmm, VectorOperands vectors)
{
    /// <summary>An XMM register as an integer: its lowest bits are element 0.</summary>
    private static UInt128 ToInteger(Vector128<byte> value) => Unsafe.BitCast<Vector128<byte>, UInt128>(value);

    private static Vector128<byte> ToVector(UInt128 value) => Unsafe.BitCast<UInt128, Vector128<byte>>(value);
    public bool Execute(ref MicroOp op)
    {
        ulong count = op.Immediate;
        if (op.Source != OperandKind.Immediate)
        {
            if (!vectors.Read(ref op, out Vector128<byte> source))
            {
                return false;
            }

            count = source.AsUInt64().ToScalar();
        }

        ref Vector128<byte> target = ref xmm[op.DestinationRegister];
        target = ShiftElements(op.Vector, target, (int)Math.Min(count, 64));
        return true;
    }

    /// <summary>Shifts by up to 64. An element is shifted out by its width already.</summary>
    private static Vector128<byte> ShiftElements(VectorOp op, Vector128<byte> value, int count)
    {
        switch (op)
        {
            case VectorOp.Psraw: return (value.AsInt16() >> Math.Min(count, 15)).AsByte();
            case VectorOp.Psrad: return (value.AsInt32() >> Math.Min(count, 31)).AsByte();
            case VectorOp.Psllw when count < 16: return (value.AsUInt16() << count).AsByte();
            case VectorOp.Psrlw when count < 16: return (value.AsUInt16() >> count).AsByte();
            case VectorOp.Pslld when count < 32: return (value.AsUInt32() << count).AsByte();
            case VectorOp.Psrld when count < 32: return (value.AsUInt32() >> count).AsByte();
            case VectorOp.Psllq when count < 64: return (value.AsUInt64() << count).AsByte();
            case VectorOp.Psrlq when count < 64: return (value.AsUInt64() >> count).AsByte();
            case VectorOp.Pslldq when count < LinearMemory.VectorSize: return ToVector(ToInteger(value) << (8 * count));
            case VectorOp.Psrldq when count < LinearMemory.VectorSize: return ToVector(ToInteger(value) >> (8 * count));
            default: return default;
        }
    }
}
