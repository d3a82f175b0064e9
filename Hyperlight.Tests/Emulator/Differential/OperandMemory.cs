using System.Buffers.Binary;
using Iced.Intel;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>The content of the data before an instruction.</summary>
internal sealed class OperandMemory(RandomSource random, OperandValues values)
{
    private const int OperandBytes = 32;

    private readonly byte[] _content = new byte[TestMemory.DataSize];

    public ReadOnlySpan<byte> Content => _content;

    /// <summary>Fills all of it: with random bytes, or with equal ones for the instructions that compare strings.</summary>
    public void Refill()
    {
        if (random.OneIn(3))
        {
            _content.AsSpan().Fill((byte)values.Integer());
        }
        else
        {
            random.Fill(_content);
        }
    }

    /// <summary>Puts a fresh value where an instruction looks for one, and none there that would unmask exceptions.</summary>
    public void Prepare(in Instruction instruction, ulong operandAddress, in CpuState state)
    {
        if (operandAddress != 0)
        {
            Span<byte> operand = At(operandAddress, OperandBytes);
            if (instruction.MemorySize is MemorySize.Float80)
            {
                values.Extended(operand[..10]);
            }
            else if (instruction.MemorySize is MemorySize.Bcd && random.OneIn(2))
            {
                Decimal(operand);
            }
            else
            {
                values.Vector(operand);
                values.Vector(operand[16..]);
            }
        }

        PrepareControl(in instruction, operandAddress, in state);
    }

    private void PrepareControl(in Instruction instruction, ulong address, in CpuState state)
    {
        const ulong SafeFlags = 0xCD5;
        const ulong FixedFlags = 0x202;
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Ldmxcsr:
                BinaryPrimitives.WriteUInt32LittleEndian(At(address, 4), values.Mxcsr());
                break;
            case Mnemonic.Fldcw:
                BinaryPrimitives.WriteUInt16LittleEndian(At(address, 2), values.ControlWord());
                break;
            case Mnemonic.Fldenv or Mnemonic.Frstor:
                Span<byte> environment = At(address, 108);
                values.Vector(environment[16..]);
                BinaryPrimitives.WriteUInt16LittleEndian(environment, values.ControlWord());
                if (instruction.MemorySize is MemorySize.FpuEnv28 or MemorySize.FpuState108)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(environment[4..], (uint)(random.Next() & 0x7F7F));
                    BinaryPrimitives.WriteUInt32LittleEndian(environment[8..], (uint)random.Next() & 0xFFFF);
                }
                else
                {
                    BinaryPrimitives.WriteUInt16LittleEndian(environment[2..], (ushort)(random.Next() & 0x7F7F));
                    BinaryPrimitives.WriteUInt16LittleEndian(environment[4..], (ushort)random.Next());
                }

                break;
            case Mnemonic.Fxrstor or Mnemonic.Fxrstor64:
                CpuState image = default;
                values.Fill(ref image);
                ((ReadOnlySpan<byte>)image.Fx).CopyTo(At(address, 512));
                break;
            case Mnemonic.Popf or Mnemonic.Popfq:
                ulong flags = FixedFlags | (random.Next() & SafeFlags);
                BinaryPrimitives.WriteUInt64LittleEndian(At(state.General[CpuState.Rsp], 8), flags);
                break;
        }
    }

    private void Decimal(Span<byte> operand)
    {
        for (int i = 0; i < 9; i++)
        {
            operand[i] = (byte)((random.Below(10) << 4) | random.Below(10));
        }

        operand[9] = random.OneIn(2) ? (byte)0x80 : (byte)0;
    }

    private Span<byte> At(ulong address, int size)
    {
        int offset = (int)(address - TestMemory.Data);
        return _content.AsSpan(offset, Math.Min(size, _content.Length - offset));
    }
}
