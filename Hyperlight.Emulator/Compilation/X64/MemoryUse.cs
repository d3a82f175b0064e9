using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>The memory that an instruction uses: from which registers its address is computed, and how far away from them it is.</summary>
/// <param name="Base">The base.</param>
/// <param name="Index">The index.</param>
/// <param name="Scale">How far the index is shifted.</param>
/// <param name="Segment">The segment, as <see cref="MicroOp.Segment"/>.</param>
/// <param name="Displacement">What is added.</param>
/// <param name="Size">How many bytes are used.</param>
/// <param name="IsWrite">Whether they are written.</param>
internal readonly record struct MemoryUse(int Base, int Index, int Scale, int Segment, long Displacement, int Size, bool IsWrite)
{
    private const int Slot = 8;

    public int Registers => ((1 << Base) | (1 << Index)) & 0xFFFF;

    /// <summary>What an instruction uses, if its operand may belong to a span.</summary>
    public static MemoryUse? Of(in TraceOp place)
    {
        ref MicroOp op = ref place.Op;
        if (op.Op == Op.Vector)
        {
            return VectorTraits.IsEmitted(in op, place.Bytes) && HasMemory(in op) && !VectorTraits.IsAligned(in op)
                ? AtOperand(in op, VectorTraits.MemorySize(in op), op.Destination == OperandKind.Memory)
                : null;
        }

        if (!Emittable.IsEmitted(in op) || op.Destination == OperandKind.HighByte || op.Source == OperandKind.HighByte)
        {
            return null;
        }

        switch (op.Op)
        {
            case Op.Push when op.Destination != OperandKind.Memory:
            case Op.Call:
                return Stack(-Slot, isWrite: true);
            case Op.Pop or Op.Ret:
                return Stack(0, isWrite: false);
            case Op.Movzx or Op.Movsx when HasMemory(in op):
                return AtOperand(in op, op.SourceSize, isWrite: false);
            case Op.Mov or Op.Setcc or Op.Cmovcc or Op.Imul or Op.Test or Op.Cmp
                or Op.Add or Op.Or or Op.Adc or Op.Sbb or Op.And or Op.Sub or Op.Xor
                or Op.Inc or Op.Dec or Op.Neg or Op.Not or Op.Shl or Op.Shr or Op.Sar or Op.Rol or Op.Ror when HasMemory(in op):
                return AtOperand(in op, op.Size, op.Destination == OperandKind.Memory && op.Op is not (Op.Cmp or Op.Test));
            default:
                return null;
        }
    }

    private static bool HasMemory(in MicroOp op) => op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory;

    private static MemoryUse Stack(int displacement, bool isWrite) =>
        new(GeneralRegister.Rsp, MicroOp.ZeroRegister, 0, 0, displacement, Slot, isWrite);

    private static MemoryUse? AtOperand(in MicroOp op, int size, bool isWrite) =>
        op.Address32
            ? null
            : new MemoryUse(op.Base, op.Index, op.Scale, op.Segment, (long)op.Displacement, op.Op == Op.Setcc ? 1 : size, isWrite);
}
