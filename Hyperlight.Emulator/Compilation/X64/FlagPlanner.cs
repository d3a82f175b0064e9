using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Compilation.X64;

/// <summary>
/// Finds instructions of a trace whose flags are replaced before anything reads them, but for branches directly behind them. Only
/// the interpreter may want such flags in between, for a fault: they are not saved, but computed again then, from operands that are
/// still there.
/// </summary>
/// <param name="map">Where the guest's registers are.</param>
internal sealed class FlagPlanner(RegisterMap map)
{
    private readonly List<bool> _computedAgain = [];

    /// <summary>For each instruction, whether its flags are computed again where the interpreter wants them.</summary>
    public List<bool> Plan(List<TraceOp> trace)
    {
        _computedAgain.Clear();
        for (int i = 0; i < trace.Count; i++)
        {
            _computedAgain.Add(CanComputeAgain(in trace[i].Op) && IsReplaced(trace, i));
        }

        return _computedAgain;
    }

    /// <summary>Whether flags follow from registers that the instruction leaves, which are in registers of the host.</summary>
    private bool CanComputeAgain(in MicroOp op)
    {
        bool isKnown = op.Op is Op.Add or Op.Sub or Op.And or Op.Or or Op.Xor or Op.Cmp or Op.Test
            && op.Destination == OperandKind.Register && map[op.DestinationRegister] != Operand.None;
        return isKnown && (op.Source == OperandKind.Immediate
            || (op.Source == OperandKind.Register && map[op.SourceRegister] != Operand.None
                && (op.SourceRegister != op.DestinationRegister || op.Op is not (Op.Add or Op.Sub))));
    }

    private static bool IsReplaced(List<TraceOp> trace, int setter)
    {
        int operands = OpTraits.Registers(in trace[setter].Op);
        bool isThere = true;
        bool isInHost = true;
        for (int i = setter + 1; i < trace.Count; i++)
        {
            TraceOp place = trace[i];
            ref MicroOp op = ref place.Op;
            bool hasMemory = op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory || op.Op is Op.Push or Op.Pop;
            if (hasMemory && !isThere)
            {
                return false;
            }

            bool isHighByte = op.Destination == OperandKind.HighByte || op.Source == OperandKind.HighByte;
            if (OpTraits.SetsAllFlags(in op) && op.Op is not (Op.Adc or Op.Sbb))
            {
                return !isHighByte && Emittable.IsEmitted(in op);
            }

            bool isBranch = op.Op == Op.Jcc && Emittable.IsEmitted(in op) && isInHost && i < trace.Count - 1;
            if (!isBranch && (isHighByte || !KeepsFlags(in place)))
            {
                return false;
            }

            isInHost &= !hasMemory;
            int written = op.Op == Op.Vector ? VectorTraits.GeneralResult(in op) : OpTraits.WrittenRegisters(in op);
            isThere &= (written & operands) == 0;
        }

        return false;
    }

    /// <summary>Whether an instruction neither reads nor changes flags, and its code uses them for a translation at most.</summary>
    private static bool KeepsFlags(in TraceOp place)
    {
        ref MicroOp op = ref place.Op;
        return op.Op switch
        {
            Op.Nop or Op.Mov or Op.Movzx or Op.Movsx or Op.Lea or Op.Jmp => true,
            Op.Push or Op.Pop => Emittable.IsEmitted(in op) && op.Destination != OperandKind.Memory,
            Op.Vector => VectorTraits.IsEmitted(in op, place.Bytes) && !VectorTraits.SetsFlags(in op),
            _ => false,
        };
    }
}
