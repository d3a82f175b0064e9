using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Shifts and rotations. A count of zero changes no flag.</summary>
internal sealed unsafe class ShiftInstructions(RegisterFile registers, Flags flags, Operands operands)
{
    public bool Execute(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong a) || !operands.ReadSource(ref op, 1, out ulong counted))
        {
            return false;
        }

        int bits = 8 * op.Size;
        int count = (int)counted & (op.Size == 8 ? 63 : 31);
        if (count == 0)
        {
            // A 32-bit register loses its upper half even so.
            return operands.WriteDestination(ref op, a);
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
            _ => (ulong)((long)SizedInteger.SignExtend(a, op.Size) >> count),
        };
        if (!operands.WriteDestination(ref op, result))
        {
            return false;
        }

        flags.SetShiftFlags(op.Op, a, result, count, op.Size);
        return true;
    }

    private bool Rotate(ref MicroOp op, ulong a, int count, int bits)
    {
        int turn = count & (bits - 1);
        ulong result = turn == 0 ? a
            : op.Op == Op.Rol ? SizedInteger.Truncate((a << turn) | (a >> (bits - turn)), op.Size)
            : SizedInteger.Truncate((a >> turn) | (a << (bits - turn)), op.Size);
        if (!operands.WriteDestination(ref op, result))
        {
            return false;
        }

        flags.SetRotateFlags(op.Op, result, op.Size);
        return true;
    }

    private bool RotateThroughCarry(ref MicroOp op, ulong a, int count, int bits)
    {
        bool carry = flags.Carry;
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
                a = (SizedInteger.Truncate(a, op.Size) >> 1) | (old ? high : 0);
            }
        }

        if (!operands.WriteDestination(ref op, a))
        {
            return false;
        }

        bool top = (a & high) != 0;
        bool overflow = op.Op == Op.Rcl ? top != carry : top != ((a & (high >> 1)) != 0);
        flags.SetCarries(carry, overflow, flags.Adjust);
        return true;
    }

    public bool ExecuteDoubleShift(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong a) || !operands.ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        int bits = 8 * op.Size;
        int count = (int)(op.HasThirdOperand ? op.Immediate : registers[Rcx]) & (op.Size == 8 ? 63 : 31);
        if (count == 0)
        {
            return operands.WriteDestination(ref op, a);
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

        if (!operands.WriteDestination(ref op, result))
        {
            return false;
        }

        flags.SetResult(result, op.Size);
        flags.SetCarries(carry, ((a ^ result) >> (bits - 1) & 1) != 0, false);
        return true;
    }
}
