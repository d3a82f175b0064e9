using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The flags of shifts and rotations.</summary>
internal readonly unsafe partial struct Flags
{
    /// <summary>The flags of a shift by a count that is not zero.</summary>
    public void SetShiftFlags(Op op, ulong a, ulong result, int count, int size)
    {
        int bits = 8 * size;
        bool carry;
        bool overflow;
        switch (op)
        {
            case Op.Shl:
                carry = count <= bits && (a >> (bits - count) & 1) != 0;
                overflow = (result >> (bits - 1) & 1) != 0 != carry;
                break;
            case Op.Shr:
                carry = (a >> (count - 1) & 1) != 0;
                overflow = (a >> (bits - 1) & 1) != 0;
                break;
            default:
                carry = ((long)SizedInteger.SignExtend(a, size) >> (count - 1) & 1) != 0;
                overflow = false;
                break;
        }

        SetResult(result, size);
        SetCarries(carry, overflow, false);
    }

    /// <summary>CF and OF of a rotation by a count that is not zero.</summary>
    public void SetRotateFlags(Op op, ulong result, int size)
    {
        int bits = 8 * size;
        bool high = (result >> (bits - 1) & 1) != 0;
        bool carry = op == Op.Rol ? (result & 1) != 0 : high;
        bool overflow = op == Op.Rol ? high != carry : high != ((result >> (bits - 2) & 1) != 0);
        SetCarries(carry, overflow, Adjust);
    }
}
