using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What the interpreter notes of instructions for the compiler.</summary>
internal sealed unsafe partial class Processor
{
    /// <summary>From which execution on a block's operands are noted; never if the compiler does not want to know.</summary>
    private readonly int _notedFrom = code.Compiler is { UsesPages: true } compiler
        ? Math.Max(1, (options.HotThreshold ?? compiler.HotThreshold) - BlockNotes.Executions)
        : int.MaxValue;

    private interface IOpNotes
    {
        /// <summary>An instruction is about to be executed.</summary>
        void Note(MicroOp[] ops, int index);
    }

    private readonly struct NoNotes : IOpNotes
    {
        public void Note(MicroOp[] ops, int index)
        {
        }
    }

    /// <summary>Notes the pages of memory operands.</summary>
    private readonly struct PageNotes(Processor processor, BlockNotes notes) : IOpNotes
    {
        public void Note(MicroOp[] ops, int index)
        {
            ref MicroOp op = ref ops[index];
            if (op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory)
            {
                notes.NotePage(index, ops.Length, processor.Address(ref op));
            }
        }
    }
}
