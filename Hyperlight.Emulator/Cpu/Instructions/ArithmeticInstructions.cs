using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Addition, subtraction and logic.</summary>
internal sealed class ArithmeticInstructions(Flags flags, Operands operands)
{
    public bool ExecuteBinary(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong a) || !operands.ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        ulong result;
        ulong carries = 0;
        switch (op.Op)
        {
            case Op.Add:
                result = a + b;
                carries = Flags.CarriesOfSum(a, b, result);
                break;
            case Op.Adc:
                result = a + b + (flags.Carry ? 1UL : 0);
                carries = Flags.CarriesOfSum(a, b, result);
                break;
            case Op.Sub:
                result = a - b;
                carries = Flags.CarriesOfDifference(a, b, result);
                break;
            case Op.Sbb:
                result = a - b - (flags.Carry ? 1UL : 0);
                carries = Flags.CarriesOfDifference(a, b, result);
                break;
            case Op.And: result = a & b; break;
            case Op.Or: result = a | b; break;
            default: result = a ^ b; break;
        }

        // Memory is written before the flags are set: the write may fault, and the instruction starts over then.
        if (!operands.WriteDestination(ref op, result))
        {
            return false;
        }

        flags.SetArithmetic(result, carries, op.Size);
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

        switch (op.Op)
        {
            case Op.Inc: flags.SetArithmeticButCarry(result, Flags.CarriesOfSum(a, 1, result), op.Size); break;
            case Op.Dec: flags.SetArithmeticButCarry(result, Flags.CarriesOfDifference(a, 1, result), op.Size); break;
            case Op.Neg: flags.SetArithmetic(result, Flags.CarriesOfDifference(0, a, result), op.Size); break;
        }

        return true;
    }
}
