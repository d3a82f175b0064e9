using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions that compare.</summary>
internal sealed partial class Processor
{
    private bool ExecuteX87Compare(ref MicroOp op, X87Op operation, X87Form form)
    {
        FloatEnvironment environment = X87Environment();
        bool isMemory = op.Destination == OperandKind.Memory;
        int register = op.Source == OperandKind.Register ? op.SourceRegister : 1;
        Float80 other = operation == X87Op.Test ? Float80.Zero(false) : St(register);
        if (isMemory && !LoadX87Operand(ref op, form, ref environment, out other))
        {
            return false;
        }

        NoteX87(ref op);
        FloatOrder order = FloatOrder.Unordered;
        bool hasRegister = !isMemory && operation != X87Op.Test;
        bool isComplete;
        if (IsEmpty(0) || (hasRegister && IsEmpty(register)))
        {
            isComplete = UnderflowsMasked();
        }
        else
        {
            bool isQuiet = operation is X87Op.CompareQuietly or X87Op.CompareQuietlyToFlags;
            order = Float80.Compare(St(0), other, isQuiet, ref environment);
            isComplete = FinishX87(in environment);
        }

        // The order is told also when an exception is not masked, but nothing is popped then.
        if (operation is X87Op.Compare or X87Op.CompareQuietly or X87Op.Test)
        {
            SetConditions(ToConditions(order));
        }
        else
        {
            WriteArithmeticFlags(ToFlags(order));
        }

        if (isComplete)
        {
            PopSt(form);
        }

        return true;
    }

    private static ulong ToFlags(FloatOrder order) => order switch
    {
        FloatOrder.Less => FlagCarry,
        FloatOrder.Equal => FlagZero,
        FloatOrder.Greater => 0,
        _ => FlagZero | FlagParity | FlagCarry,
    };

    private static int ToConditions(FloatOrder order) => order switch
    {
        FloatOrder.Less => Condition0,
        FloatOrder.Equal => Condition3,
        FloatOrder.Greater => 0,
        _ => Condition3 | Condition2 | Condition0,
    };

    private bool ExamineStack(ref MicroOp op)
    {
        NoteX87(ref op);
        Float80 value = St(0);
        SetConditions(IsEmpty(0) ? Condition3 | Condition0 : value.Class switch
        {
            FloatClass.Zero => Condition3,
            FloatClass.Denormal => Condition3 | Condition2,
            FloatClass.Normal => Condition2,
            FloatClass.Infinity => Condition2 | Condition0,
            FloatClass.QuietNaN or FloatClass.SignalingNaN => Condition0,
            _ => 0,
        });
        SetCondition1(value.IsNegative);
        return true;
    }
}
