using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Multiplication and division.</summary>
internal sealed unsafe class MultiplyInstructions(RegisterFile registers, Flags flags, PendingEvent pending, Operands operands)
{
    public bool Execute(ref MicroOp op)
    {
        if (op.Op == Op.Imul)
        {
            return MultiplySigned(ref op);
        }

        if (!operands.ReadDestination(ref op, out ulong operand))
        {
            return false;
        }

        return op.Op switch
        {
            Op.Mul or Op.Imul1 => MultiplyWide(op.Op == Op.Imul1, operand, op.Size),
            Op.Div => DivideUnsigned(operand, op.Size),
            _ => DivideSigned(operand, op.Size),
        };
    }

    private bool MultiplySigned(ref MicroOp op)
    {
        ulong b;
        if (!operands.ReadSource(ref op, op.Size, out ulong a) || (!op.HasThirdOperand && !operands.ReadDestination(ref op, out b)))
        {
            return false;
        }

        b = op.HasThirdOperand ? SizedInteger.Truncate(op.Immediate, op.Size) : SizedInteger.Truncate(registers[op.DestinationRegister], op.Size);
        Int128 product = (Int128)(long)SizedInteger.SignExtend(a, op.Size) * (long)SizedInteger.SignExtend(b, op.Size);
        ulong result = (ulong)product;
        operands.WriteRegister(op.DestinationRegister, op.Size, result);
        flags.SetProduct(result, product != (long)SizedInteger.SignExtend(result, op.Size), op.Size);
        return true;
    }

    private bool MultiplyWide(bool signed, ulong operand, int size)
    {
        ulong a = SizedInteger.Truncate(registers[Rax], size);
        UInt128 product = signed
            ? (UInt128)((Int128)(long)SizedInteger.SignExtend(a, size) * (long)SizedInteger.SignExtend(operand, size))
            : Math.BigMul(a, operand);
        ulong low = (ulong)product;
        ulong high = (ulong)(product >> (8 * size));
        if (size == 1)
        {
            operands.WriteRegister(Rax, 2, low);
        }
        else
        {
            operands.WriteRegister(Rax, size, low);
            operands.WriteRegister(Rdx, size, high);
        }

        bool overflow = signed
            ? SizedInteger.Truncate(high, size) != SizedInteger.Truncate((ulong)((long)SizedInteger.SignExtend(low, size) >> 63), size)
            : SizedInteger.Truncate(high, size) != 0;
        flags.SetProduct(low, overflow, size);
        return true;
    }

    /// <summary>RDX:RAX, or AX for bytes.</summary>
    private UInt128 Dividend(int size) => size == 1
        ? (ushort)registers[Rax]
        : ((UInt128)SizedInteger.Truncate(registers[Rdx], size) << (8 * size)) | SizedInteger.Truncate(registers[Rax], size);

    private bool DivideUnsigned(ulong divisor, int size)
    {
        if (divisor == 0)
        {
            return pending.Fault(DivideError, 0);
        }

        UInt128 dividend = Dividend(size);
        UInt128 quotient = dividend <= ulong.MaxValue ? (ulong)dividend / divisor : dividend / divisor;
        if (quotient > SizedInteger.Truncate(ulong.MaxValue, size))
        {
            return pending.Fault(DivideError, 0);
        }

        WriteQuotient((ulong)quotient, (ulong)dividend - ((ulong)quotient * divisor), size);
        return true;
    }

    private bool DivideSigned(ulong operand, int size)
    {
        long divisor = (long)SizedInteger.SignExtend(operand, size);
        if (divisor == 0)
        {
            return pending.Fault(DivideError, 0);
        }

        int unused = 128 - (16 * size);
        Int128 dividend = (Int128)(Dividend(size) << unused) >> unused;

        // The smallest value by minus one overflows every width, in the host too.
        if (divisor == -1 && dividend == Int128.MinValue)
        {
            return pending.Fault(DivideError, 0);
        }

        Int128 quotient = dividend / divisor;
        if (quotient != (long)SizedInteger.SignExtend((ulong)quotient, size))
        {
            return pending.Fault(DivideError, 0);
        }

        WriteQuotient((ulong)quotient, (ulong)(dividend - (quotient * divisor)), size);
        return true;
    }

    private void WriteQuotient(ulong quotient, ulong remainder, int size)
    {
        if (size == 1)
        {
            operands.WriteRegister(Rax, 2, (quotient & 0xFF) | ((remainder & 0xFF) << 8));
        }
        else
        {
            operands.WriteRegister(Rax, size, quotient);
            operands.WriteRegister(Rdx, size, remainder);
        }
    }
}
