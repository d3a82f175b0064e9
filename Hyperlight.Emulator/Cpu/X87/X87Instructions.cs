using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions: whether one may run, and which handler it has.</summary>
internal sealed unsafe class X87Instructions(
    ProcessorState* state,
    PendingEvent pending,
    X87Registers x87,
    X87Transfers x87Transfers,
    X87Calculations x87Calculations,
    X87Comparisons x87Comparisons,
    X87ControlInstructions x87Control)
{
    public bool Execute(ref MicroOp op)
    {
        var operation = (X87Op)(op.Function & (ushort)X87Form.OperationMask);
        bool isBlocked = operation == X87Op.Wait
            ? (~state->Control.Cr0 & (Cr0MonitorCoprocessor | Cr0TaskSwitched)) == 0
            : (state->Control.Cr0 & (Cr0Emulation | Cr0TaskSwitched)) != 0;
        if (isBlocked)
        {
            return pending.Fault(DeviceNotAvailable, 0);
        }

        if (operation < X87Op.Initialize && x87.IsMathFaultPending)
        {
            return pending.Fault(MathFault, 0);
        }

        return operation >= X87Op.Nop
            ? x87Control.Execute(ref op, operation)
            : Execute(ref op, operation, (X87Form)op.Function & ~X87Form.OperationMask);
    }

    private bool Execute(ref MicroOp op, X87Op operation, X87Form form)
    {
        switch (operation)
        {
            case X87Op.Load: return x87Transfers.LoadToStack(ref op, form);
            case X87Op.LoadDecimal: return x87Transfers.LoadDecimalToStack(ref op);
            case X87Op.LoadConstant: return x87Transfers.LoadConstant(ref op);
            case X87Op.Store or X87Op.StoreTruncated: return x87Transfers.StoreFromStack(ref op, operation, form);
            case X87Op.StoreDecimal: return x87Transfers.StoreDecimalFromStack(ref op);
            case X87Op.Exchange: return x87Transfers.ExchangeStack(ref op);
            case X87Op.ConditionalMove: return x87Transfers.MoveConditionally(ref op);
            case >= X87Op.Add and <= X87Op.Divide: return x87Calculations.ExecuteArithmetic(ref op, operation, form);
            case >= X87Op.Compare and <= X87Op.Test: return x87Comparisons.Compare(ref op, operation, form);
            case X87Op.Examine: return x87Comparisons.ExamineStack(ref op);
            case X87Op.Scale or X87Op.Remainder or X87Op.RemainderNearest: return x87Calculations.ExecuteBinary(ref op, operation);
            case X87Op.ArcTangent or X87Op.Logarithm or X87Op.LogarithmOfOnePlus: return x87Calculations.ExecuteBinaryPop(ref op, operation);
            case X87Op.Extract or X87Op.SineCosine or X87Op.Tangent: return x87Calculations.ExecutePair(ref op, operation);
            default: return x87Calculations.ExecuteUnary(ref op, operation);
        }
    }
}
