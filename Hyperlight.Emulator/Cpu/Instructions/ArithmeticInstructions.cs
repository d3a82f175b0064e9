using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Addition, subtraction and logic.</summary>
internal sealed unsafe class ArithmeticInstructions(Flags flags, Operands operands)
{
    public bool ExecuteBinary(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong a) || !operands.ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        // Memory is written before the flags are set: the write may fault, and the instruction starts over then.
        ulong carry = op.Op is Op.Adc or Op.Sbb && flags.Carry ? 1UL : 0;
        ulong result = op.Op switch
        {
            Op.Add or Op.Adc => a + b + carry,
            Op.Sub or Op.Sbb => a - b - carry,
            Op.And => a & b,
            Op.Or => a | b,
            _ => a ^ b,
        };
        if (!operands.WriteDestination(ref op, result))
        {
            return false;
        }

        switch (op.Op)
        {
            case Op.Add or Op.Adc: flags.Add(a, b, carry, op.Size); break;
            case Op.Sub or Op.Sbb: flags.Subtract(a, b, carry, op.Size); break;
            default: flags.SetLogic(result, op.Size); break;
        }

        return true;
    }

    public bool ExecuteUnary(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong a))
        {
            return false;
        }

        ulong result = op.Op switch { Op.Inc => a + 1, Op.Dec => a - 1, Op.Neg => 0 - a, _ => ~a };
        if (!operands.WriteDestination(ref op, result))
        {
            return false;
        }

        bool carry = flags.Carry;
        switch (op.Op)
        {
            case Op.Inc:
                flags.Add(a, 1, 0, op.Size);
                flags.SetCarries(carry, flags.Overflow, flags.Adjust);
                break;
            case Op.Dec:
                flags.Subtract(a, 1, 0, op.Size);
                flags.SetCarries(carry, flags.Overflow, flags.Adjust);
                break;
            case Op.Neg:
                flags.Subtract(0, a, 0, op.Size);
                break;
        }

        return true;
    }
}
