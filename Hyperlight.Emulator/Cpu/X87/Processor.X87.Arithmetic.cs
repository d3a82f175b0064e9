using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions that compute.</summary>
internal sealed partial class Processor
{
    private bool ExecuteX87Arithmetic(ref MicroOp op, X87Op operation, X87Form form)
    {
        FloatEnvironment environment = X87Environment();
        bool isMemory = op.Destination == OperandKind.Memory;
        Float80 source = isMemory ? default : St(op.SourceRegister);
        if (isMemory && !LoadX87Operand(ref op, form, ref environment, out source))
        {
            return false;
        }

        NoteX87(ref op);
        int destination = isMemory ? 0 : op.DestinationRegister;
        if (IsEmpty(destination) || (!isMemory && IsEmpty(op.SourceRegister)))
        {
            if (UnderflowsMasked())
            {
                SetSt(destination, Float80.DefaultNaN);
                PopSt(form);
            }

            return true;
        }

        (Float80 left, Float80 right) =
            (form & X87Form.Reverse) != 0 ? (source, St(destination)) : (St(destination), source);
        Float80 result = operation switch
        {
            X87Op.Add => Float80.Add(left, right, ref environment),
            X87Op.Subtract => Float80.Subtract(left, right, ref environment),
            X87Op.Multiply => Float80.Multiply(left, right, ref environment),
            _ => Float80.Divide(left, right, ref environment),
        };
        if (FinishX87(in environment))
        {
            SetSt(destination, result);
            PopSt(form);
        }

        return true;
    }

    private bool ExecuteX87Unary(ref MicroOp op, X87Op operation)
    {
        NoteX87(ref op);
        bool isAngle = operation is X87Op.Sine or X87Op.Cosine;
        if (isAngle)
        {
            ClearCondition2();
        }

        if (IsEmpty(0))
        {
            if (UnderflowsMasked())
            {
                SetSt(0, Float80.DefaultNaN);
            }

            return true;
        }

        FloatEnvironment environment = X87Environment();
        Float80 value = St(0);
        if (isAngle && IsAngleRefused(value))
        {
            return true;
        }

        Float80 result = operation switch
        {
            X87Op.ChangeSign => value.Negate(),
            X87Op.Absolute => value.Absolute(),
            X87Op.SquareRoot => Float80.SquareRoot(value, ref environment),
            X87Op.RoundToInteger => Float80.RoundToInteger(value, ref environment),
            X87Op.Sine => Float80.Sine(value, ref environment),
            X87Op.Cosine => Float80.Cosine(value, ref environment),
            _ => Float80.PowerOfTwoLessOne(value, ref environment),
        };
        if (FinishX87(in environment))
        {
            SetSt(0, result);
        }

        return true;
    }

    /// <summary>Sets C2 for an angle that is too large, which stays as it is.</summary>
    private bool IsAngleRefused(Float80 value)
    {
        bool isRefused = value.IsOutOfAngleRange;
        if (isRefused)
        {
            _x87Status |= Condition2;
            SetCondition1(false);
        }

        return isRefused;
    }

    private void ClearCondition2() => _x87Status &= 0xFFFF ^ Condition2;

    /// <summary>ST(0) and ST(1) give a new ST(0).</summary>
    private bool ExecuteX87Binary(ref MicroOp op, X87Op operation)
    {
        NoteX87(ref op);
        if (operation != X87Op.Scale)
        {
            ClearCondition2();
        }

        if (IsEmpty(0) || IsEmpty(1))
        {
            if (UnderflowsMasked())
            {
                SetSt(0, Float80.DefaultNaN);
            }

            return true;
        }

        FloatEnvironment environment = X87Environment();
        if (operation == X87Op.Scale)
        {
            Float80 scaled = Float80.Scale(St(0), St(1), ref environment);
            if (FinishX87(in environment))
            {
                SetSt(0, scaled);
            }

            return true;
        }

        Float80 remainder = Float80.Remainder(
            St(0), St(1), operation == X87Op.RemainderNearest, ref environment, out ulong quotient, out bool isPartial);
        if (FinishX87(in environment))
        {
            SetSt(0, remainder);
            if (remainder.IsNaN)
            {
                // There is no quotient.
                return true;
            }

            SetConditions(isPartial ? Condition2
                : ((quotient & 4) != 0 ? Condition0 : 0) | ((quotient & 2) != 0 ? Condition3 : 0));
            SetCondition1((quotient & 1) != 0);
        }

        return true;
    }

    /// <summary>ST(0) and ST(1) give a value that takes the place of both.</summary>
    private bool ExecuteX87BinaryPop(ref MicroOp op, X87Op operation)
    {
        NoteX87(ref op);
        if (IsEmpty(0) || IsEmpty(1))
        {
            if (UnderflowsMasked())
            {
                SetSt(1, Float80.DefaultNaN);
                PopSt();
            }

            return true;
        }

        FloatEnvironment environment = X87Environment();
        Float80 result = operation switch
        {
            X87Op.ArcTangent => Float80.ArcTangent(St(1), St(0), ref environment),
            X87Op.Logarithm => Float80.MultiplyByLogarithm(St(0), St(1), ref environment),
            _ => Float80.MultiplyByLogarithmOfOnePlus(St(0), St(1), ref environment),
        };
        if (FinishX87(in environment))
        {
            SetSt(1, result);
            PopSt();
        }

        return true;
    }

    /// <summary>ST(0) gives a new ST(0) and a value that is pushed.</summary>
    private bool ExecuteX87Pair(ref MicroOp op, X87Op operation)
    {
        NoteX87(ref op);
        if (operation != X87Op.Extract)
        {
            ClearCondition2();
        }

        if (IsEmpty(0) || !IsEmpty(-1))
        {
            if (IsEmpty(0) ? UnderflowsMasked() : OverflowsMasked())
            {
                SetSt(0, Float80.DefaultNaN);
                PushSt(Float80.DefaultNaN);
            }

            return true;
        }

        Float80 value = St(0);
        if (operation != X87Op.Extract && IsAngleRefused(value))
        {
            return true;
        }

        FloatEnvironment environment = X87Environment();
        (Float80 result, Float80 pushed) = operation switch
        {
            X87Op.Extract => Float80.Extract(value, ref environment),
            X87Op.Tangent => Float80.TangentAndOne(value, ref environment),
            _ => (Float80.Sine(value, ref environment), Float80.Cosine(value, ref environment)),
        };
        if (FinishX87(in environment))
        {
            SetSt(0, result);
            PushSt(pushed);
        }

        return true;
    }
}
