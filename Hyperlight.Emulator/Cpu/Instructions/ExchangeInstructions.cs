using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>XCHG, XADD and CMPXCHG. No other processor sees memory in between.</summary>
internal sealed unsafe class ExchangeInstructions(
    RegisterFile registers,
    Flags flags,
    PendingEvent pending,
    LinearMemory memory,
    Operands operands)
{
    public bool Exchange(ref MicroOp op)
    {
        if (op.Source == OperandKind.Memory)
        {
            // The assembler's order does not matter to XCHG, the decoder's is memory first.
            return pending.Fault(InvalidOpcode, 0);
        }

        if (!operands.ReadForUpdate(ref op, out ulong a) || !operands.ReadSource(ref op, op.Size, out ulong b) || !operands.WriteDestination(ref op, b))
        {
            return false;
        }

        operands.WriteSourceRegister(ref op, a);
        return true;
    }

    public bool ExchangeAdd(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong a) || !operands.ReadSource(ref op, op.Size, out ulong b))
        {
            return false;
        }

        // Of two equal registers the sum stays, so it is written last; memory first, because it may fault.
        if (op.Destination == OperandKind.Memory && !operands.WriteDestination(ref op, a + b))
        {
            return false;
        }

        operands.WriteSourceRegister(ref op, a);
        if (op.Destination != OperandKind.Memory)
        {
            operands.WriteDestination(ref op, a + b);
        }

        flags.SetSum(a, b, op.Size);
        return true;
    }

    public bool CompareExchange(ref MicroOp op)
    {
        if (!operands.ReadForUpdate(ref op, out ulong current) || !operands.ReadSource(ref op, op.Size, out ulong replacement))
        {
            return false;
        }

        ulong expected = SizedInteger.Truncate(registers[Rax], op.Size);
        bool equal = current == expected;

        // Memory is written in either case; of two registers only one is, and the other one keeps its upper half.
        if ((equal || op.Destination == OperandKind.Memory) && !operands.WriteDestination(ref op, equal ? replacement : current))
        {
            return false;
        }

        if (!equal)
        {
            operands.WriteRegister(Rax, op.Size, current);
        }

        flags.SetDifference(expected, current, op.Size);
        return true;
    }

    public bool CompareExchangePair(ref MicroOp op, int size)
    {
        ulong address = operands.Address(ref op);
        if (size == 8 && (address & 15) != 0)
        {
            return pending.Fault(GeneralProtection, 0);
        }

        if (!LinearAddress.IsCanonicalRange(address, 2 * size))
        {
            return pending.AddressFault();
        }

        if (!memory.LoadForStore(address, size, out ulong low) || !memory.LoadForStore(address + (ulong)size, size, out ulong high))
        {
            return false;
        }

        bool equal = low == SizedInteger.Truncate(registers[Rax], size) && high == SizedInteger.Truncate(registers[Rdx], size);
        if (!memory.Store(address, size, equal ? registers[Rbx] : low)
            || !memory.Store(address + (ulong)size, size, equal ? registers[Rcx] : high))
        {
            return false;
        }

        if (!equal)
        {
            operands.WriteRegister(Rax, size, low);
            operands.WriteRegister(Rdx, size, high);
        }

        flags.WriteArithmetic((flags.Read() & ~FlagZero) | (equal ? FlagZero : 0));
        return true;
    }
}
