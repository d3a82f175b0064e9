using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions that move values.</summary>
internal sealed partial class Processor
{
    private const int ExtendedSize = 10;

    /// <summary>Exceptions that keep a value out of memory when they are not masked.</summary>
    private const FloatExceptions StoreStops =
        FloatExceptions.Invalid | FloatExceptions.Overflow | FloatExceptions.Underflow;

    private bool LoadToStack(ref MicroOp op, X87Form form)
    {
        FloatEnvironment environment = X87Environment();
        Float80 value;
        if (op.Destination != OperandKind.Memory)
        {
            NoteX87(ref op);
            if (IsEmpty(op.DestinationRegister))
            {
                if (UnderflowsMasked())
                {
                    PushSt(Float80.DefaultNaN);
                }

                return true;
            }

            return PushResult(St(op.DestinationRegister), in environment);
        }

        if (!LoadX87Operand(ref op, form, ref environment, out value))
        {
            return false;
        }

        NoteX87(ref op);
        if (!IsEmpty(-1))
        {
            return PushResult(value, in environment);
        }

        // The extended format is loaded as it is.
        return PushResult(op.Size == ExtendedSize ? value : Float80.Load(value, ref environment), in environment);
    }

    private bool LoadDecimalToStack(ref MicroOp op)
    {
        ulong address = Address(ref op);
        if (!LoadTwo(address, 8, out ulong low, 2, out ulong high))
        {
            return false;
        }

        NoteX87(ref op);
        return PushResult(Float80.FromDecimal(low, (ushort)high), FloatEnvironment.Default);
    }

    private bool LoadConstant(ref MicroOp op)
    {
        NoteX87(ref op);
        FloatEnvironment environment = X87Environment();
        return PushResult(
            Float80.Constant((X87Constant)op.DestinationRegister, environment.Rounding), in environment);
    }

    private bool PushResult(Float80 value, in FloatEnvironment environment)
    {
        if (!IsEmpty(-1))
        {
            if (OverflowsMasked())
            {
                PushSt(Float80.DefaultNaN);
            }
        }
        else
        {
            _ = FinishX87(in environment);
            if (!environment.IsInvalid)
            {
                PushSt(value);
            }
        }

        return true;
    }

    /// <summary>Loads an operand of any format but the decimal one.</summary>
    private bool LoadX87Operand(ref MicroOp op, X87Form form, ref FloatEnvironment environment, out Float80 value)
    {
        value = default;
        ulong address = Address(ref op);
        if (op.Size == ExtendedSize)
        {
            if (!LoadTwo(address, 8, out ulong significand, 2, out ulong high))
            {
                return false;
            }

            value = new Float80((ushort)high, significand);
            return true;
        }

        if (!Load(address, op.Size, out ulong bits))
        {
            return false;
        }

        value = (form & X87Form.Integer) != 0 ? Float80.FromInt64((long)SignExtend(bits, op.Size))
            : Float80.From(op.Size == 4 ? BinaryFormat.Single : BinaryFormat.Double, bits, ref environment);
        return true;
    }

    private bool StoreFromStack(ref MicroOp op, X87Op operation, X87Form form)
    {
        if (op.Destination != OperandKind.Memory)
        {
            return CopyInStack(ref op, form);
        }

        bool isEmpty = IsEmpty(0);
        FloatEnvironment environment = X87Environment();
        if (isEmpty)
        {
            environment.Raised = FloatExceptions.Invalid;
        }

        if (operation == X87Op.StoreTruncated)
        {
            environment.Rounding = RoundingMode.TowardZero;
        }

        Float80 value = isEmpty ? Float80.DefaultNaN : St(0);
        ulong bits = (form & X87Form.Integer) != 0 ? (ulong)value.ToInteger(op.Size, ref environment)
            : op.Size == ExtendedSize ? value.Significand
            : value.To(op.Size == 4 ? BinaryFormat.Single : BinaryFormat.Double, ref environment);
        bool isStored = (environment.Raised & ~environment.Masked & StoreStops) == 0;
        if (isStored && !(op.Size == ExtendedSize
            ? StoreWide(Address(ref op), bits, value.SignExponent)
            : Store(Address(ref op), op.Size, bits)))
        {
            return false;
        }

        FinishStore(ref op, isEmpty, isStored, form, in environment);
        return true;
    }

    private bool StoreDecimalFromStack(ref MicroOp op)
    {
        bool isEmpty = IsEmpty(0);
        FloatEnvironment environment = X87Environment();
        (ulong low, ushort high) = (isEmpty ? Float80.DefaultNaN : St(0)).ToDecimal(ref environment);
        bool isStored = (environment.Raised & ~environment.Masked & StoreStops) == 0;
        if (isStored && !StoreWide(Address(ref op), low, high))
        {
            return false;
        }

        FinishStore(ref op, isEmpty, isStored, X87Form.Pop, in environment);
        return true;
    }

    private void FinishStore(ref MicroOp op, bool isEmpty, bool isStored, X87Form form, in FloatEnvironment environment)
    {
        NoteX87(ref op);
        if (isEmpty)
        {
            _ = UnderflowsMasked();
        }
        else
        {
            _ = FinishX87(in environment);
        }

        if (isStored)
        {
            PopSt(form);
        }
    }

    /// <summary>Stores ten bytes, or nothing.</summary>
    private bool StoreWide(ulong address, ulong low, ushort high) =>
        PrepareStore(address, ExtendedSize) && Store(address, 8, low) && Store(address + 8, 2, high);

    private bool CopyInStack(ref MicroOp op, X87Form form)
    {
        NoteX87(ref op);
        SetCondition1(false);
        if (IsEmpty(0))
        {
            if ((form & X87Form.Unchecked) == 0)
            {
                if (!UnderflowsMasked())
                {
                    return true;
                }

                SetSt(op.DestinationRegister, Float80.DefaultNaN);
            }
        }
        else
        {
            SetSt(op.DestinationRegister, St(0));
        }

        PopSt(form);
        return true;
    }

    private bool ExchangeStack(ref MicroOp op)
    {
        NoteX87(ref op);
        int other = op.SourceRegister;
        bool isEmptyTop = IsEmpty(0);
        bool isEmptyOther = IsEmpty(other);
        if (isEmptyTop || isEmptyOther)
        {
            if (!UnderflowsMasked())
            {
                return true;
            }
        }
        else
        {
            SetCondition1(false);
        }

        Float80 top = isEmptyTop ? Float80.DefaultNaN : St(0);
        SetSt(0, isEmptyOther ? Float80.DefaultNaN : St(other));
        SetSt(other, top);
        return true;
    }

    private bool MoveConditionally(ref MicroOp op)
    {
        NoteX87(ref op);
        if (IsEmpty(0) || IsEmpty(op.SourceRegister))
        {
            if (UnderflowsMasked())
            {
                SetSt(0, Float80.DefaultNaN);
            }

            return true;
        }

        if (Holds(op.Condition))
        {
            SetSt(0, St(op.SourceRegister));
        }

        return true;
    }
}
