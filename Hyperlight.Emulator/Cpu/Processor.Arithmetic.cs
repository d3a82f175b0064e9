using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Addition, subtraction, logic and exchanges.</summary>
internal sealed partial class Processor
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Add(ulong a, ulong b, ulong carry, int size)
    {
        ulong result = a + b + carry;
        SetArithmetic(result, (a & b) | ((a | b) & ~result), size);
        return result;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Subtract(ulong a, ulong b, ulong borrow, int size)
    {
        ulong result = a - b - borrow;
        SetArithmetic(result, (~a & b) | ((~a | b) & result), size);
        return result;
    }

    private bool ExecuteAlu(ref MicroOp op)
    {
        if (!ReadForUpdate(ref op, out ulong a) || !ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        // Memory is written before the flags are set: the write may fault, and the instruction starts over then.
        ulong carry = op.Op is Op.Adc or Op.Sbb && Carry ? 1UL : 0;
        ulong result = op.Op switch
        {
            Op.Add or Op.Adc => a + b + carry,
            Op.Sub or Op.Sbb => a - b - carry,
            Op.And => a & b,
            Op.Or => a | b,
            _ => a ^ b,
        };
        if (!WriteDestination(ref op, result))
        {
            return false;
        }

        switch (op.Op)
        {
            case Op.Add or Op.Adc: Add(a, b, carry, op.Size); break;
            case Op.Sub or Op.Sbb: Subtract(a, b, carry, op.Size); break;
            default: SetLogic(result, op.Size); break;
        }

        return true;
    }

    private bool ExecuteUnary(ref MicroOp op)
    {
        if (!ReadForUpdate(ref op, out ulong a))
        {
            return false;
        }

        ulong result = op.Op switch { Op.Inc => a + 1, Op.Dec => a - 1, Op.Neg => 0 - a, _ => ~a };
        if (!WriteDestination(ref op, result))
        {
            return false;
        }

        bool carry = Carry;
        switch (op.Op)
        {
            case Op.Inc:
                Add(a, 1, 0, op.Size);
                SetCarries(carry, Overflow, Adjust);
                break;
            case Op.Dec:
                Subtract(a, 1, 0, op.Size);
                SetCarries(carry, Overflow, Adjust);
                break;
            case Op.Neg:
                Subtract(0, a, 0, op.Size);
                break;
        }

        return true;
    }

    private bool ExecuteExchange(ref MicroOp op)
    {
        if (op.Source == OperandKind.Memory)
        {
            // The assembler's order does not matter to XCHG, the decoder's is memory first.
            return Fault(InvalidOpcode, 0);
        }

        if (!ReadForUpdate(ref op, out ulong a) || !ReadSource(ref op, op.Size, out ulong b) || !WriteDestination(ref op, b))
        {
            return false;
        }

        WriteSourceRegister(ref op, a);
        return true;
    }

    private bool ExecuteExchangeAdd(ref MicroOp op)
    {
        if (!ReadForUpdate(ref op, out ulong a) || !ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        // Of two equal registers the sum stays, so it is written last; memory first, because it may fault.
        if (op.Destination == OperandKind.Memory && !WriteDestination(ref op, a + b))
        {
            return false;
        }

        WriteSourceRegister(ref op, a);
        if (op.Destination != OperandKind.Memory)
        {
            WriteDestination(ref op, a + b);
        }

        Add(a, b, 0, op.Size);
        return true;
    }

    private bool ExecuteCompareExchange(ref MicroOp op)
    {
        if (!ReadForUpdate(ref op, out ulong current) || !ReadSource(ref op, op.Size, out ulong replacement))
        {
            return false;
        }

        ulong expected = Truncate(_regs[Rax], op.Size);
        bool equal = current == expected;

        // Memory is written in either case; of two registers only one is, and the other one keeps its upper half.
        if ((equal || op.Destination == OperandKind.Memory) && !WriteDestination(ref op, equal ? replacement : current))
        {
            return false;
        }

        if (!equal)
        {
            WriteRegister(Rax, op.Size, current);
        }

        Subtract(expected, current, 0, op.Size);
        return true;
    }

    private bool ExecuteCompareExchangePair(ref MicroOp op, int size)
    {
        ulong address = Address(ref op);
        if (size == 8 && (address & 15) != 0)
        {
            return Fault(GeneralProtection, 0);
        }

        if (!IsCanonicalRange(address, 2 * size))
        {
            return AddressFault();
        }

        if (!LoadForStore(address, size, out ulong low) || !LoadForStore(address + (ulong)size, size, out ulong high))
        {
            return false;
        }

        bool equal = low == Truncate(_regs[Rax], size) && high == Truncate(_regs[Rdx], size);
        if (!Store(address, size, equal ? _regs[Rbx] : low)
            || !Store(address + (ulong)size, size, equal ? _regs[Rcx] : high))
        {
            return false;
        }

        if (!equal)
        {
            WriteRegister(Rax, size, low);
            WriteRegister(Rdx, size, high);
        }

        WriteArithmeticFlags((ReadFlags() & ~FlagZero) | (equal ? FlagZero : 0));
        return true;
    }
}
