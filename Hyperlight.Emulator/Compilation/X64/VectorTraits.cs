using System.Runtime.Intrinsics.X86;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>Which instructions on XMM registers become machine code, and what the others around them have to know.</summary>
internal static class VectorTraits
{
    private const int VectorSize = 16;

    /// <summary>Whether code is emitted for it. Approximations, whose results are the host's own, are not.</summary>
    public static bool IsEmitted(in MicroOp op, ReadOnlySpan<byte> bytes)
    {
        bool hasMemory = op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory;
        if (op.Op != Op.Vector)
        {
            return false;
        }

        bool isKnown = op.Vector switch
        {
            VectorOp.MaskedStore or VectorOp.LoadMxcsr or VectorOp.StoreMxcsr
                or (>= VectorOp.InsertByte and <= VectorOp.ExtractQuadword)
                or VectorOp.Reciprocal or VectorOp.ReciprocalSquareRoot or VectorOp.DotProduct
                or > VectorOp.Ptest => false,
            _ => true,
        };
        return isKnown && VectorInstruction.Parse(bytes) is { } parsed && (!parsed.IsLate || Sse42.IsSupported)
            && (op.Address32 || parsed.IsMemory == hasMemory);
    }

    /// <summary>Whether it uses MXCSR, and notes exceptions there.</summary>
    public static bool UsesFloats(in MicroOp op) => op.Vector is >= VectorOp.Add and <= VectorOp.Cvtsd2ss;

    public static bool SetsFlags(in MicroOp op) =>
        op.Vector is VectorOp.OrderedCompare or VectorOp.UnorderedCompare or VectorOp.Ptest;

    /// <summary>Whether the register that the instruction names first is a general one.</summary>
    public static bool HasGeneralRegister(in MicroOp op) => op.Vector
        is VectorOp.MoveSignMask or VectorOp.MoveByteMask or VectorOp.ConvertToGeneral or VectorOp.TruncateToGeneral;

    /// <summary>Whether the operand that can be memory is a general register if it is not.</summary>
    public static bool HasGeneralOperand(in MicroOp op) => op.Vector is VectorOp.MoveGeneral or VectorOp.ConvertFromGeneral;

    /// <summary>Bytes of the operand in memory.</summary>
    public static int MemorySize(in MicroOp op) => op.Destination == OperandKind.Memory ? op.Size : op.SourceSize;

    /// <summary>Whether memory has to be aligned.</summary>
    public static bool IsAligned(in MicroOp op) =>
        MemorySize(in op) == VectorSize && op.Vector != VectorOp.MoveUnaligned;

    /// <summary>The general registers that it uses, as bits.</summary>
    public static int GeneralRegisters(in MicroOp op)
    {
        int used = 0;
        if (op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory)
        {
            used |= (1 << op.Base) | (1 << op.Index);
        }

        return (used | GeneralResult(in op) | GeneralSource(in op)) & 0xFFFF;
    }

    /// <summary>The general register that it changes, as a bit.</summary>
    public static int GeneralResult(in MicroOp op)
    {
        bool isMove = op.Vector == VectorOp.MoveGeneral && op.Size < VectorSize && op.Destination == OperandKind.Register;
        return isMove || HasGeneralRegister(in op) ? 1 << op.DestinationRegister : 0;
    }

    private static int GeneralSource(in MicroOp op)
    {
        bool isMove = op.Vector == VectorOp.MoveGeneral && op.Size == VectorSize;
        return op.Source == OperandKind.Register && (isMove || op.Vector == VectorOp.ConvertFromGeneral)
            ? 1 << op.SourceRegister
            : 0;
    }
}
