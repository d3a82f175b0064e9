using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Multiplication and division.</summary>
internal sealed partial class Processor
{
    private bool ExecuteMultiply(ref MicroOp op)
    {
        if (op.Op == Op.Imul)
        {
            return MultiplySigned(ref op);
        }

        if (!ReadDestination(ref op, out ulong operand))
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
        if (!ReadSource(ref op, op.Size, out ulong a) || (!op.HasThirdOperand && !ReadDestination(ref op, out b)))
        {
            return false;
        }

        b = op.HasThirdOperand ? Truncate(op.Immediate, op.Size) : Truncate(_regs[op.DestinationRegister], op.Size);
        Int128 product = (Int128)(long)SignExtend(a, op.Size) * (long)SignExtend(b, op.Size);
        ulong result = (ulong)product;
        WriteRegister(op.DestinationRegister, op.Size, result);
        SetProduct(result, product != (long)SignExtend(result, op.Size), op.Size);
        return true;
    }

    private bool MultiplyWide(bool signed, ulong operand, int size)
    {
        ulong a = Truncate(_regs[Rax], size);
        UInt128 product = signed
            ? (UInt128)((Int128)(long)SignExtend(a, size) * (long)SignExtend(operand, size))
            : Math.BigMul(a, operand);
        ulong low = (ulong)product;
        ulong high = (ulong)(product >> (8 * size));
        if (size == 1)
        {
            WriteRegister(Rax, 2, low);
        }
        else
        {
            WriteRegister(Rax, size, low);
            WriteRegister(Rdx, size, high);
        }

        bool overflow = signed
            ? Truncate(high, size) != Truncate((ulong)((long)SignExtend(low, size) >> 63), size)
            : Truncate(high, size) != 0;
        SetProduct(low, overflow, size);
        return true;
    }

    private void SetProduct(ulong result, bool overflow, int size)
    {
        SetResult(result, size);
        SetCarries(overflow, overflow, false);
    }

    /// <summary>RDX:RAX, or AX for bytes.</summary>
    private UInt128 Dividend(int size) => size == 1
        ? (ushort)_regs[Rax]
        : ((UInt128)Truncate(_regs[Rdx], size) << (8 * size)) | Truncate(_regs[Rax], size);

    private bool DivideUnsigned(ulong divisor, int size)
    {
        if (divisor == 0)
        {
            return Fault(DivideError, 0);
        }

        UInt128 dividend = Dividend(size);
        UInt128 quotient = dividend <= ulong.MaxValue ? (ulong)dividend / divisor : dividend / divisor;
        if (quotient > Truncate(ulong.MaxValue, size))
        {
            return Fault(DivideError, 0);
        }

        WriteQuotient((ulong)quotient, (ulong)dividend - ((ulong)quotient * divisor), size);
        return true;
    }

    private bool DivideSigned(ulong operand, int size)
    {
        long divisor = (long)SignExtend(operand, size);
        if (divisor == 0)
        {
            return Fault(DivideError, 0);
        }

        int unused = 128 - (16 * size);
        Int128 dividend = (Int128)(Dividend(size) << unused) >> unused;

        // The smallest value by minus one overflows every width, in the host too.
        if (divisor == -1 && dividend == Int128.MinValue)
        {
            return Fault(DivideError, 0);
        }

        Int128 quotient = dividend / divisor;
        if (quotient != (long)SignExtend((ulong)quotient, size))
        {
            return Fault(DivideError, 0);
        }

        WriteQuotient((ulong)quotient, (ulong)(dividend - (quotient * divisor)), size);
        return true;
    }

    private void WriteQuotient(ulong quotient, ulong remainder, int size)
    {
        if (size == 1)
        {
            WriteRegister(Rax, 2, (quotient & 0xFF) | ((remainder & 0xFF) << 8));
        }
        else
        {
            WriteRegister(Rax, size, quotient);
            WriteRegister(Rdx, size, remainder);
        }
    }
}
