using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Shifts and rotations. A count of zero changes no flag.</summary>
internal sealed partial class Processor
{
    private bool ExecuteShift(ref MicroOp op)
    {
        if (!ReadForUpdate(ref op, out ulong a) || !ReadSource(ref op, 1, out ulong counted))
        {
            return false;
        }

        int bits = 8 * op.Size;
        int count = (int)counted & (op.Size == 8 ? 63 : 31);
        if (count == 0)
        {
            // A 32-bit register loses its upper half even so.
            return WriteDestination(ref op, a);
        }

        return op.Op switch
        {
            Op.Shl or Op.Shr or Op.Sar => Shift(ref op, a, count),
            Op.Rol or Op.Ror => Rotate(ref op, a, count, bits),
            _ => RotateThroughCarry(ref op, a, count, bits),
        };
    }

    private bool Shift(ref MicroOp op, ulong a, int count)
    {
        ulong result = op.Op switch
        {
            Op.Shl => a << count,
            Op.Shr => a >> count,
            _ => (ulong)((long)SignExtend(a, op.Size) >> count),
        };
        if (!WriteDestination(ref op, result))
        {
            return false;
        }

        SetShiftFlags(op.Op, a, result, count, op.Size);
        return true;
    }

    /// <summary>The flags of a shift by a count that is not zero.</summary>
    private void SetShiftFlags(Op op, ulong a, ulong result, int count, int size)
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
                carry = ((long)SignExtend(a, size) >> (count - 1) & 1) != 0;
                overflow = false;
                break;
        }

        SetResult(result, size);
        SetCarries(carry, overflow, false);
    }

    private bool Rotate(ref MicroOp op, ulong a, int count, int bits)
    {
        int turn = count & (bits - 1);
        ulong result = turn == 0 ? a
            : op.Op == Op.Rol ? Truncate((a << turn) | (a >> (bits - turn)), op.Size)
            : Truncate((a >> turn) | (a << (bits - turn)), op.Size);
        if (!WriteDestination(ref op, result))
        {
            return false;
        }

        SetRotateFlags(op.Op, result, op.Size);
        return true;
    }

    /// <summary>CF and OF of a rotation by a count that is not zero.</summary>
    private void SetRotateFlags(Op op, ulong result, int size)
    {
        int bits = 8 * size;
        bool high = (result >> (bits - 1) & 1) != 0;
        bool carry = op == Op.Rol ? (result & 1) != 0 : high;
        bool overflow = op == Op.Rol ? high != carry : high != ((result >> (bits - 2) & 1) != 0);
        SetCarries(carry, overflow, Adjust);
    }

    private bool RotateThroughCarry(ref MicroOp op, ulong a, int count, int bits)
    {
        bool carry = Carry;
        ulong high = 1UL << (bits - 1);
        for (int i = count % (bits + 1); i > 0; i--)
        {
            bool old = carry;
            if (op.Op == Op.Rcl)
            {
                carry = (a & high) != 0;
                a = (a << 1) | (old ? 1UL : 0);
            }
            else
            {
                carry = (a & 1) != 0;
                a = (Truncate(a, op.Size) >> 1) | (old ? high : 0);
            }
        }

        if (!WriteDestination(ref op, a))
        {
            return false;
        }

        bool top = (a & high) != 0;
        bool overflow = op.Op == Op.Rcl ? top != carry : top != ((a & (high >> 1)) != 0);
        SetCarries(carry, overflow, Adjust);
        return true;
    }

    private bool ExecuteDoubleShift(ref MicroOp op)
    {
        if (!ReadForUpdate(ref op, out ulong a) || !ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        int bits = 8 * op.Size;
        int count = (int)(op.HasThirdOperand ? op.Immediate : _regs[Rcx]) & (op.Size == 8 ? 63 : 31);
        if (count == 0)
        {
            return WriteDestination(ref op, a);
        }

        // With 16-bit operands a count above 16 gives an undefined result; this one shifts the pair of operands.
        count = count > bits ? count - bits : count;
        ulong result;
        bool carry;
        if (op.Op == Op.Shld)
        {
            result = count == bits ? b : (a << count) | (b >> (bits - count));
            carry = (a >> (bits - count) & 1) != 0;
        }
        else
        {
            result = count == bits ? b : (a >> count) | (b << (bits - count));
            carry = (a >> (count - 1) & 1) != 0;
        }

        if (!WriteDestination(ref op, result))
        {
            return false;
        }

        SetResult(result, op.Size);
        SetCarries(carry, ((a ^ result) >> (bits - 1) & 1) != 0, false);
        return true;
    }
}
