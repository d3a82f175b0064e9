using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>x87 instructions that compare.</summary>
internal sealed class X87Comparisons(Flags flags, X87Registers x87, X87Operands x87Operands)
{
    public bool Compare(ref MicroOp op, X87Op operation, X87Form form)
    {
        FloatEnvironment environment = x87.Environment();
        bool isMemory = op.Destination == OperandKind.Memory;
        int register = op.Source == OperandKind.Register ? op.SourceRegister : 1;
        Float80 other = operation == X87Op.Test ? Float80.Zero(false) : x87.St(register);
        if (isMemory && !x87Operands.Load(ref op, form, ref environment, out other))
        {
            return false;
        }

        x87.Note(ref op);
        FloatOrder order = FloatOrder.Unordered;
        bool hasRegister = !isMemory && operation != X87Op.Test;
        bool isComplete;
        if (x87.IsEmpty(0) || (hasRegister && x87.IsEmpty(register)))
        {
            isComplete = x87.UnderflowsMasked();
        }
        else
        {
            bool isQuiet = operation is X87Op.CompareQuietly or X87Op.CompareQuietlyToFlags;
            order = Float80.Compare(x87.St(0), other, isQuiet, ref environment);
            isComplete = x87.Finish(in environment);
        }

        // The order is told also when an exception is not masked, but nothing is popped then.
        if (operation is X87Op.Compare or X87Op.CompareQuietly or X87Op.Test)
        {
            x87.SetConditions(ToConditions(order));
        }
        else
        {
            flags.WriteArithmetic(ToFlags(order));
        }

        if (isComplete)
        {
            x87.PopSt(form);
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
        FloatOrder.Less => X87Registers.Condition0,
        FloatOrder.Equal => X87Registers.Condition3,
        FloatOrder.Greater => 0,
        _ => X87Registers.Condition3 | X87Registers.Condition2 | X87Registers.Condition0,
    };

    public bool ExamineStack(ref MicroOp op)
    {
        x87.Note(ref op);
        Float80 value = x87.St(0);
        x87.SetConditions(x87.IsEmpty(0) ? X87Registers.Condition3 | X87Registers.Condition0 : value.Class switch
        {
            FloatClass.Zero => X87Registers.Condition3,
            FloatClass.Denormal => X87Registers.Condition3 | X87Registers.Condition2,
            FloatClass.Normal => X87Registers.Condition2,
            FloatClass.Infinity => X87Registers.Condition2 | X87Registers.Condition0,
            FloatClass.QuietNaN or FloatClass.SignalingNaN => X87Registers.Condition0,
            _ => 0,
        });
        x87.SetCondition1(value.IsNegative);
        return true;
    }
}
