using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.X87Arithmetic;

namespace Hyperlight.Emulator.Cpu;

/// <summary>MMX registers, which are the significands of the x87 registers.</summary>
internal sealed unsafe class MmxRegisters(ProcessorState* state, LinearMemory memory, Operands operands, X87Registers x87)
{
    /// <summary>What stands where an x87 value would have its sign and exponent.</summary>
    private const ushort MmxExponent = 0xFFFF;

    public ulong Read(int register) => state->X87.Registers[register].Significand;

    public bool Write(int register, ulong value)
    {
        state->X87.Registers[register] = new Float80(MmxExponent, value);
        return Enter();
    }

    public bool Enter()
    {
        x87.Top = 0;
        state->X87.Used = byte.MaxValue;
        return true;
    }

    /// <summary>Reads eight bytes of the last operand; the unpacking of low halves needs but four of them.</summary>
    public bool ReadSource(ref MicroOp op, out ulong value)
    {
        switch (op.Source)
        {
            case OperandKind.Memory:
                return memory.Load(operands.Address(ref op), op.SourceSize, out value);
            case OperandKind.Immediate:
                value = op.Immediate;
                return true;
            default:
                value = Read(op.SourceRegister);
                return true;
        }
    }
}
