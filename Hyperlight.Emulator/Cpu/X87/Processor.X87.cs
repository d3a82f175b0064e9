using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions: whether one may run, and which handler it has.</summary>
internal sealed partial class Processor
{
    private const ulong Cr0MonitorCoprocessor = 1 << 1;
    private const ulong Cr0NumericError = 1 << 5;

    private bool ExecuteX87(ref MicroOp op)
    {
        var operation = (X87Op)(op.Function & (ushort)X87Form.OperationMask);
        bool isBlocked = operation == X87Op.Wait
            ? (~_cr0 & (Cr0MonitorCoprocessor | Cr0TaskSwitched)) == 0
            : (_cr0 & (Cr0Emulation | Cr0TaskSwitched)) != 0;
        if (isBlocked)
        {
            return Fault(DeviceNotAvailable, 0);
        }

        if (operation < X87Op.Initialize && IsMathFaultPending)
        {
            return Fault(MathFault, 0);
        }

        return operation >= X87Op.Nop
            ? ExecuteX87Control(ref op, operation)
            : ExecuteX87(ref op, operation, (X87Form)op.Function & ~X87Form.OperationMask);
    }

    private bool ExecuteX87(ref MicroOp op, X87Op operation, X87Form form)
    {
        switch (operation)
        {
            case X87Op.Load: return LoadToStack(ref op, form);
            case X87Op.LoadDecimal: return LoadDecimalToStack(ref op);
            case X87Op.LoadConstant: return LoadConstant(ref op);
            case X87Op.Store or X87Op.StoreTruncated: return StoreFromStack(ref op, operation, form);
            case X87Op.StoreDecimal: return StoreDecimalFromStack(ref op);
            case X87Op.Exchange: return ExchangeStack(ref op);
            case X87Op.ConditionalMove: return MoveConditionally(ref op);
            case >= X87Op.Add and <= X87Op.Divide: return ExecuteX87Arithmetic(ref op, operation, form);
            case >= X87Op.Compare and <= X87Op.Test: return ExecuteX87Compare(ref op, operation, form);
            case X87Op.Examine: return ExamineStack(ref op);
            case X87Op.Scale or X87Op.Remainder or X87Op.RemainderNearest: return ExecuteX87Binary(ref op, operation);
            case X87Op.ArcTangent or X87Op.Logarithm or X87Op.LogarithmOfOnePlus: return ExecuteX87BinaryPop(ref op, operation);
            case X87Op.Extract or X87Op.SineCosine or X87Op.Tangent: return ExecuteX87Pair(ref op, operation);
            default: return ExecuteX87Unary(ref op, operation);
        }
    }

    /// <summary>
    /// An exception that is not masked waits for the next instruction. Without CR0.NE it would be an external interrupt,
    /// which this machine has not: as with IGNNE# asserted, nothing happens then.
    /// </summary>
    private bool IsMathFaultPending =>
        (_x87Status & ~_x87Control & X87Exceptions) != 0 && (_cr0 & Cr0NumericError) != 0;
}
