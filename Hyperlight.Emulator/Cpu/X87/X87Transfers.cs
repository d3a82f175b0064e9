using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions that move values.</summary>
internal sealed class X87Transfers(
    Flags flags,
    LinearMemory memory,
    Operands operands,
    X87Registers x87,
    X87Operands x87Operands)
{
    /// <summary>Exceptions that keep a value out of memory when they are not masked.</summary>
    private const FloatExceptions StoreStops =
        FloatExceptions.Invalid | FloatExceptions.Overflow | FloatExceptions.Underflow;

    public bool LoadToStack(ref MicroOp op, X87Form form)
    {
        FloatEnvironment environment = x87.Environment();
        Float80 value;
        if (op.Destination != OperandKind.Memory)
        {
            x87.Note(ref op);
            if (x87.IsEmpty(op.DestinationRegister))
            {
                if (x87.UnderflowsMasked())
                {
                    x87.PushSt(Float80.DefaultNaN);
                }

                return true;
            }

            return PushResult(x87.St(op.DestinationRegister), in environment);
        }

        if (!x87Operands.Load(ref op, form, ref environment, out value))
        {
            return false;
        }

        x87.Note(ref op);
        if (!x87.IsEmpty(-1))
        {
            return PushResult(value, in environment);
        }

        // The extended format is loaded as it is.
        return PushResult(op.Size == X87Operands.ExtendedSize ? value : Float80.Load(value, ref environment), in environment);
    }

    public bool LoadDecimalToStack(ref MicroOp op)
    {
        ulong address = operands.Address(ref op);
        if (!memory.LoadTwo(address, 8, out ulong low, 2, out ulong high))
        {
            return false;
        }

        x87.Note(ref op);
        return PushResult(Float80.FromDecimal(low, (ushort)high), FloatEnvironment.Default);
    }

    public bool LoadConstant(ref MicroOp op)
    {
        x87.Note(ref op);
        FloatEnvironment environment = x87.Environment();
        return PushResult(
            Float80.Constant((X87Constant)op.DestinationRegister, environment.Rounding), in environment);
    }

    private bool PushResult(Float80 value, in FloatEnvironment environment)
    {
        if (!x87.IsEmpty(-1))
        {
            if (x87.OverflowsMasked())
            {
                x87.PushSt(Float80.DefaultNaN);
            }
        }
        else
        {
            _ = x87.Finish(in environment);
            if (!environment.IsInvalid)
            {
                x87.PushSt(value);
            }
        }

        return true;
    }

    public bool StoreFromStack(ref MicroOp op, X87Op operation, X87Form form)
    {
        if (op.Destination != OperandKind.Memory)
        {
            return CopyInStack(ref op, form);
        }

        bool isEmpty = x87.IsEmpty(0);
        FloatEnvironment environment = x87.Environment();
        if (isEmpty)
        {
            environment.Raised = FloatExceptions.Invalid;
        }

        if (operation == X87Op.StoreTruncated)
        {
            environment.Rounding = RoundingMode.TowardZero;
        }

        Float80 value = isEmpty ? Float80.DefaultNaN : x87.St(0);
        ulong bits = (form & X87Form.Integer) != 0 ? (ulong)value.ToInteger(op.Size, ref environment)
            : op.Size == X87Operands.ExtendedSize ? value.Significand
            : value.To(op.Size == 4 ? BinaryFormat.Single : BinaryFormat.Double, ref environment);
        bool isStored = (environment.Raised & ~environment.Masked & StoreStops) == 0;
        if (isStored && !(op.Size == X87Operands.ExtendedSize
            ? StoreWide(operands.Address(ref op), bits, value.SignExponent)
            : memory.Store(operands.Address(ref op), op.Size, bits)))
        {
            return false;
        }

        FinishStore(ref op, isEmpty, isStored, form, in environment);
        return true;
    }

    public bool StoreDecimalFromStack(ref MicroOp op)
    {
        bool isEmpty = x87.IsEmpty(0);
        FloatEnvironment environment = x87.Environment();
        (ulong low, ushort high) = (isEmpty ? Float80.DefaultNaN : x87.St(0)).ToDecimal(ref environment);
        bool isStored = (environment.Raised & ~environment.Masked & StoreStops) == 0;
        if (isStored && !StoreWide(operands.Address(ref op), low, high))
        {
            return false;
        }

        FinishStore(ref op, isEmpty, isStored, X87Form.Pop, in environment);
        return true;
    }

    private void FinishStore(ref MicroOp op, bool isEmpty, bool isStored, X87Form form, in FloatEnvironment environment)
    {
        x87.Note(ref op);
        if (isEmpty)
        {
            _ = x87.UnderflowsMasked();
        }
        else
        {
            _ = x87.Finish(in environment);
        }

        if (isStored)
        {
            x87.PopSt(form);
        }
    }

    /// <summary>Stores ten bytes, or nothing.</summary>
    private bool StoreWide(ulong address, ulong low, ushort high) =>
        memory.PrepareStore(address, X87Operands.ExtendedSize) && memory.Store(address, 8, low) && memory.Store(address + 8, 2, high);

    private bool CopyInStack(ref MicroOp op, X87Form form)
    {
        x87.Note(ref op);
        x87.SetCondition1(false);
        if (x87.IsEmpty(0))
        {
            if ((form & X87Form.Unchecked) == 0)
            {
                if (!x87.UnderflowsMasked())
                {
                    return true;
                }

                x87.SetSt(op.DestinationRegister, Float80.DefaultNaN);
            }
        }
        else
        {
            x87.SetSt(op.DestinationRegister, x87.St(0));
        }

        x87.PopSt(form);
        return true;
    }

    public bool ExchangeStack(ref MicroOp op)
    {
        x87.Note(ref op);
        int other = op.SourceRegister;
        bool isEmptyTop = x87.IsEmpty(0);
        bool isEmptyOther = x87.IsEmpty(other);
        if (isEmptyTop || isEmptyOther)
        {
            if (!x87.UnderflowsMasked())
            {
                return true;
            }
        }
        else
        {
            x87.SetCondition1(false);
        }

        Float80 top = isEmptyTop ? Float80.DefaultNaN : x87.St(0);
        x87.SetSt(0, isEmptyOther ? Float80.DefaultNaN : x87.St(other));
        x87.SetSt(other, top);
        return true;
    }

    public bool MoveConditionally(ref MicroOp op)
    {
        x87.Note(ref op);
        if (x87.IsEmpty(0) || x87.IsEmpty(op.SourceRegister))
        {
            if (x87.UnderflowsMasked())
            {
                x87.SetSt(0, Float80.DefaultNaN);
            }

            return true;
        }

        if (flags.Holds(op.Condition))
        {
            x87.SetSt(0, x87.St(op.SourceRegister));
        }

        return true;
    }
}
