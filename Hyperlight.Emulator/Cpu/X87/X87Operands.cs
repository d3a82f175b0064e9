using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Operands of x87 instructions in memory.</summary>
internal sealed class X87Operands(LinearMemory memory, Operands operands)
{
    public const int ExtendedSize = 10;

    /// <summary>Loads an operand of any format but the decimal one.</summary>
    public bool Load(ref MicroOp op, X87Form form, ref FloatEnvironment environment, out Float80 value)
    {
        value = default;
        ulong address = operands.Address(ref op);
        if (op.Size == ExtendedSize)
        {
            if (!memory.LoadTwo(address, 8, out ulong significand, 2, out ulong high))
            {
                return false;
            }

            value = new Float80((ushort)high, significand);
            return true;
        }

        if (!memory.Load(address, op.Size, out ulong bits))
        {
            return false;
        }

        value = (form & X87Form.Integer) != 0 ? Float80.FromInt64((long)SizedInteger.SignExtend(bits, op.Size))
            : Float80.From(op.Size == 4 ? BinaryFormat.Single : BinaryFormat.Double, bits, ref environment);
        return true;
    }
}
