using System.Runtime.Intrinsics;
using Hyperlight.Emulator.Decoding;
using static Hyperlight.Emulator.Cpu.FlagBits;
using static Hyperlight.Emulator.Cpu.GeneralRegister;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Instructions on vectors whose result is in the flags or in a general register: PTEST and string compares.</summary>
internal sealed class VectorTests(
    RegisterFile registers,
    XmmFile xmm,
    Flags flags,
    LinearMemory memory,
    Operands operands,
    VectorOperands vectors)
{
    public bool Execute(ref MicroOp op)
    {
        if (op.Vector != VectorOp.Ptest)
        {
            return ExecuteStringCompare(ref op);
        }

        if (!vectors.Read(ref op, out Vector128<byte> source))
        {
            return false;
        }

        Vector128<byte> destination = xmm[op.DestinationRegister];
        flags.WriteArithmetic(
            ((destination & source) == Vector128<byte>.Zero ? FlagZero : 0)
            | ((~destination & source) == Vector128<byte>.Zero ? FlagCarry : 0));
        return true;
    }

    /// <summary>PCMPxSTRx. Unlike other instructions it takes an operand that is not aligned.</summary>
    private bool ExecuteStringCompare(ref MicroOp op)
    {
        Vector128<byte> source;
        if (op.Source == OperandKind.Register)
        {
            source = xmm[op.SourceRegister];
        }
        else if (!memory.LoadVector(operands.Address(ref op), out source))
        {
            return false;
        }

        var comparison = new StringComparison((byte)op.Immediate);
        Vector128<byte> destination = xmm[op.DestinationRegister];
        bool isExplicit = op.Vector is VectorOp.Pcmpestri or VectorOp.Pcmpestrm;
        int length1 = isExplicit ? ExplicitLength(op, registers[Rax], comparison) : comparison.ImplicitLength(destination);
        int length2 = isExplicit ? ExplicitLength(op, registers[Rdx], comparison) : comparison.ImplicitLength(source);
        uint result = comparison.Compare(destination, length1, source, length2);
        flags.WriteArithmetic(
            (result != 0 ? FlagCarry : 0)
            | (length2 < comparison.Elements ? FlagZero : 0)
            | (length1 < comparison.Elements ? FlagSign : 0)
            | ((result & 1) != 0 ? FlagOverflow : 0));
        if (op.Vector is VectorOp.Pcmpestri or VectorOp.Pcmpistri)
        {
            registers[Rcx] = (ulong)comparison.ToIndex(result);
        }
        else
        {
            xmm[0] = comparison.ToMask(result);
        }

        return true;
    }

    /// <summary>A length is the absolute value of a register, and no more than there are elements.</summary>
    private static int ExplicitLength(in MicroOp op, ulong register, StringComparison comparison)
    {
        long length = op.Size == 8 ? (long)register : (int)register;
        return length > -comparison.Elements && length < comparison.Elements ? (int)Math.Abs(length) : comparison.Elements;
    }
}
