using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions that compute.</summary>
internal sealed unsafe class X87Calculations(ProcessorState* state, X87Registers x87, X87Operands x87Operands)
{
    public bool ExecuteArithmetic(ref MicroOp op, X87Op operation, X87Form form)
    {
        FloatEnvironment environment = x87.Environment();
        bool isMemory = op.Destination == OperandKind.Memory;
        Float80 source = isMemory ? default : x87.St(op.SourceRegister);
        if (isMemory && !x87Operands.Load(ref op, form, ref environment, out source))
        {
            return false;
        }

        x87.Note(ref op);
        int destination = isMemory ? 0 : op.DestinationRegister;
        if (x87.IsEmpty(destination) || (!isMemory && x87.IsEmpty(op.SourceRegister)))
        {
            if (x87.UnderflowsMasked())
            {
                x87.SetSt(destination, Float80.DefaultNaN);
                x87.PopSt(form);
            }

            return true;
        }

        (Float80 left, Float80 right) =
            (form & X87Form.Reverse) != 0 ? (source, x87.St(destination)) : (x87.St(destination), source);
        Float80 result = operation switch
        {
            X87Op.Add => Float80.Add(left, right, ref environment),
            X87Op.Subtract => Float80.Subtract(left, right, ref environment),
            X87Op.Multiply => Float80.Multiply(left, right, ref environment),
            _ => Float80.Divide(left, right, ref environment),
        };
        if (x87.Finish(in environment))
        {
            x87.SetSt(destination, result);
            x87.PopSt(form);
        }

        return true;
    }

    public bool ExecuteUnary(ref MicroOp op, X87Op operation)
    {
        x87.Note(ref op);
        bool isAngle = operation is X87Op.Sine or X87Op.Cosine;
        if (isAngle)
        {
            ClearCondition2();
        }

        if (x87.IsEmpty(0))
        {
            if (x87.UnderflowsMasked())
            {
                x87.SetSt(0, Float80.DefaultNaN);
            }

            return true;
        }

        FloatEnvironment environment = x87.Environment();
        Float80 value = x87.St(0);
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
        if (x87.Finish(in environment))
        {
            x87.SetSt(0, result);
        }

        return true;
    }

    /// <summary>Sets C2 for an angle that is too large, which stays as it is.</summary>
    private bool IsAngleRefused(Float80 value)
    {
        bool isRefused = value.IsOutOfAngleRange;
        if (isRefused)
        {
            state->X87.Status |= X87Registers.Condition2;
            x87.SetCondition1(false);
        }

        return isRefused;
    }

    private void ClearCondition2() => state->X87.Status &= 0xFFFF ^ X87Registers.Condition2;

    /// <summary>ST(0) and ST(1) give a new ST(0).</summary>
    public bool ExecuteBinary(ref MicroOp op, X87Op operation)
    {
        x87.Note(ref op);
        if (operation != X87Op.Scale)
        {
            ClearCondition2();
        }

        if (x87.IsEmpty(0) || x87.IsEmpty(1))
        {
            if (x87.UnderflowsMasked())
            {
                x87.SetSt(0, Float80.DefaultNaN);
            }

            return true;
        }

        FloatEnvironment environment = x87.Environment();
        if (operation == X87Op.Scale)
        {
            Float80 scaled = Float80.Scale(x87.St(0), x87.St(1), ref environment);
            if (x87.Finish(in environment))
            {
                x87.SetSt(0, scaled);
            }

            return true;
        }

        Float80 remainder = Float80.Remainder(
            x87.St(0), x87.St(1), operation == X87Op.RemainderNearest, ref environment, out ulong quotient, out bool isPartial);
        if (x87.Finish(in environment))
        {
            x87.SetSt(0, remainder);
            if (remainder.IsNaN)
            {
                // There is no quotient.
                return true;
            }

            x87.SetConditions(isPartial ? X87Registers.Condition2
                : ((quotient & 4) != 0 ? X87Registers.Condition0 : 0) | ((quotient & 2) != 0 ? X87Registers.Condition3 : 0));
            x87.SetCondition1((quotient & 1) != 0);
        }

        return true;
    }

    /// <summary>ST(0) and ST(1) give a value that takes the place of both.</summary>
    public bool ExecuteBinaryPop(ref MicroOp op, X87Op operation)
    {
        x87.Note(ref op);
        if (x87.IsEmpty(0) || x87.IsEmpty(1))
        {
            if (x87.UnderflowsMasked())
            {
                x87.SetSt(1, Float80.DefaultNaN);
                x87.PopSt();
            }

            return true;
        }

        FloatEnvironment environment = x87.Environment();
        Float80 result = operation switch
        {
            X87Op.ArcTangent => Float80.ArcTangent(x87.St(1), x87.St(0), ref environment),
            X87Op.Logarithm => Float80.MultiplyByLogarithm(x87.St(0), x87.St(1), ref environment),
            _ => Float80.MultiplyByLogarithmOfOnePlus(x87.St(0), x87.St(1), ref environment),
        };
        if (x87.Finish(in environment))
        {
            x87.SetSt(1, result);
            x87.PopSt();
        }

        return true;
    }

    /// <summary>ST(0) gives a new ST(0) and a value that is pushed.</summary>
    public bool ExecutePair(ref MicroOp op, X87Op operation)
    {
        x87.Note(ref op);
        if (operation != X87Op.Extract)
        {
            ClearCondition2();
        }

        if (x87.IsEmpty(0) || !x87.IsEmpty(-1))
        {
            if (x87.IsEmpty(0) ? x87.UnderflowsMasked() : x87.OverflowsMasked())
            {
                x87.SetSt(0, Float80.DefaultNaN);
                x87.PushSt(Float80.DefaultNaN);
            }

            return true;
        }

        Float80 value = x87.St(0);
        if (operation != X87Op.Extract && IsAngleRefused(value))
        {
            return true;
        }

        FloatEnvironment environment = x87.Environment();
        (Float80 result, Float80 pushed) = operation switch
        {
            X87Op.Extract => Float80.Extract(value, ref environment),
            X87Op.Tangent => Float80.TangentAndOne(value, ref environment),
            _ => (Float80.Sine(value, ref environment), Float80.Cosine(value, ref environment)),
        };
        if (x87.Finish(in environment))
        {
            x87.SetSt(0, result);
            x87.PushSt(pushed);
        }

        return true;
    }
}
