using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Elements that an immediate chooses.</summary>
internal sealed class VectorElements(RegisterFile registers, XmmFile xmm, LinearMemory memory, Operands operands)
{
    public bool Insert(ref MicroOp op)
    {
        if (op.Vector == VectorOp.InsertSingle)
        {
            return InsertSingle(ref op);
        }

        int size = 1 << (op.Vector - VectorOp.InsertByte);
        if (!operands.ReadSource(ref op, size, out ulong value))
        {
            return false;
        }

        ref Vector128<byte> target = ref xmm[op.DestinationRegister];
        int index = (int)op.Immediate & ((LinearMemory.VectorSize / size) - 1);
        target = op.Vector switch
        {
            VectorOp.InsertByte => target.WithElement(index, (byte)value),
            VectorOp.InsertWord => target.AsUInt16().WithElement(index, (ushort)value).AsByte(),
            VectorOp.InsertDoubleword => target.AsUInt32().WithElement(index, (uint)value).AsByte(),
            _ => target.AsUInt64().WithElement(index, value).AsByte(),
        };
        return true;
    }

    /// <summary>INSERTPS: which element of a register, to where, and which elements become zero.</summary>
    private bool InsertSingle(ref MicroOp op)
    {
        uint value;
        if (op.Source == OperandKind.Register)
        {
            value = xmm[op.SourceRegister].AsUInt32()[(int)(op.Immediate >> 6) & 3];
        }
        else if (memory.Load(operands.Address(ref op), 4, out ulong loaded))
        {
            value = (uint)loaded;
        }
        else
        {
            return false;
        }

        Vector128<uint> result = xmm[op.DestinationRegister].AsUInt32()
            .WithElement((int)(op.Immediate >> 4) & 3, value);
        for (int i = 0; i < 4; i++)
        {
            if ((op.Immediate >> i & 1) != 0)
            {
                result = result.WithElement(i, 0u);
            }
        }

        xmm[op.DestinationRegister] = result.AsByte();
        return true;
    }

    public bool Extract(ref MicroOp op)
    {
        int size = 1 << (op.Vector - VectorOp.ExtractByte);
        int index = (int)op.Immediate & ((LinearMemory.VectorSize / size) - 1);
        Vector128<byte> source = xmm[op.SourceRegister];
        ulong value = op.Vector switch
        {
            VectorOp.ExtractByte => source[index],
            VectorOp.ExtractWord => source.AsUInt16()[index],
            VectorOp.ExtractDoubleword => source.AsUInt32()[index],
            _ => source.AsUInt64()[index],
        };
        if (op.Destination == OperandKind.Memory)
        {
            return memory.Store(operands.Address(ref op), size, value);
        }

        // The whole register is written, whatever its encoded size.
        registers[op.DestinationRegister] = value;
        return true;
    }
}
