using System.Buffers.Binary;
using System.Numerics;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions on single bits, and those that count them.</summary>
internal sealed unsafe class BitInstructions(RegisterFile registers, Flags flags, LinearMemory memory, Operands operands)
{
    public bool Execute(ref MicroOp op) => op.Op <= Op.Btc ? ExecuteBitTest(ref op) : ExecuteBitScan(ref op);

    private bool ExecuteBitTest(ref MicroOp op)
    {
        if (!operands.ReadSource(ref op, op.Size, out ulong index))
        {
            return false;
        }

        int bits = 8 * op.Size;
        ulong mask = 1UL << (int)(index & (ulong)(bits - 1));
        bool isMemory = op.Destination == OperandKind.Memory;
        ulong address = 0;
        ulong value;
        if (isMemory)
        {
            // A register as index reaches beyond the operand, in both directions.
            long words = op.Source == OperandKind.Register
                ? (long)SizedInteger.SignExtend(index, op.Size) >> BitOperations.Log2((uint)bits)
                : 0;
            address = operands.Address(ref op, (ulong)(words * op.Size));
            bool loaded = op.Op == Op.Bt
                ? memory.Load(address, op.Size, out value)
                : memory.LoadForStore(address, op.Size, out value);
            if (!loaded)
            {
                return false;
            }
        }
        else
        {
            value = registers[op.DestinationRegister];
        }

        bool carry = (value & mask) != 0;
        ulong result = op.Op switch { Op.Bts => value | mask, Op.Btr => value & ~mask, _ => value ^ mask };
        if (op.Op != Op.Bt)
        {
            if (!isMemory)
            {
                operands.WriteRegister(op.DestinationRegister, op.Size, result);
            }
            else if (!memory.Store(address, op.Size, result))
            {
                return false;
            }
        }

        flags.SetCarries(carry, flags.Overflow, flags.Adjust);
        return true;
    }

    private bool ExecuteBitScan(ref MicroOp op)
    {
        if (!operands.ReadSource(ref op, op.Size, out ulong value))
        {
            return false;
        }

        int bits = 8 * op.Size;
        if (op.Op is Op.Bsf or Op.Bsr)
        {
            if (value != 0)
            {
                int found = op.Op == Op.Bsf ? BitOperations.TrailingZeroCount(value) : BitOperations.Log2(value);
                operands.WriteRegister(op.DestinationRegister, op.Size, (ulong)found);
            }

            flags.SetLogic(value, op.Size);
            return true;
        }

        int count = op.Op switch
        {
            Op.Tzcnt => value == 0 ? bits : BitOperations.TrailingZeroCount(value),
            Op.Lzcnt => BitOperations.LeadingZeroCount(value) - (64 - bits),
            _ => BitOperations.PopCount(value),
        };
        operands.WriteRegister(op.DestinationRegister, op.Size, (ulong)count);
        bool isPopulation = op.Op == Op.Popcnt;
        flags.WriteArithmetic((isPopulation ? value == 0 : count == 0) ? FlagZero : 0);
        flags.SetCarries(!isPopulation && value == 0, false, false);
        return true;
    }

    /// <summary>CRC32 with the polynomial of Castagnoli, without the inversions that protocols add.</summary>
    public bool ExecuteCrc32(ref MicroOp op)
    {
        if (!operands.ReadSource(ref op, op.SourceSize, out ulong value))
        {
            return false;
        }

        uint crc = (uint)registers[op.DestinationRegister];
        registers[op.DestinationRegister] = op.SourceSize switch
        {
            8 => BitOperations.Crc32C(crc, value),
            4 => BitOperations.Crc32C(crc, (uint)value),
            2 => BitOperations.Crc32C(crc, (ushort)value),
            _ => BitOperations.Crc32C(crc, (byte)value),
        };
        return true;
    }

    public bool ExecuteMoveBigEndian(ref MicroOp op) =>
        operands.ReadSource(ref op, op.Size, out ulong value)
        && operands.WriteDestination(ref op, BinaryPrimitives.ReverseEndianness(value) >> (64 - (8 * op.Size)));
}
