using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Interprets the instructions of a block, and notes what the compiler wants to know of them.</summary>
internal sealed unsafe class BlockInterpreter(
    ProcessorState* state,
    EmulatorOptions options,
    CodeCache code,
    PendingEvent pending,
    Operands operands,
    Interpreter interpreter,
    CodeCompiler compiler)
{
    /// <summary>From which execution on a block's operands are noted; never if the compiler does not want to know.</summary>
    private readonly int _notedFrom = code.Compiler is { UsesPages: true } used
        ? Math.Max(1, (options.HotThreshold ?? used.HotThreshold) - BlockNotes.Executions)
        : int.MaxValue;

    /// <summary>Executes a block, and says whether nothing is pending.</summary>
    public bool Interpret(Block block)
    {
        // A block with code is interpreted now and then: where that code has returned.
        if (++block.Heat == compiler.HotThreshold && block.Region is null)
        {
            compiler.Compile(block);
        }

        bool isDone = block.Heat >= _notedFrom && block.Heat < compiler.HotThreshold
            ? ExecuteAll(block.Ops, new PageNotes(operands, block.MakeNotes()))
            : ExecuteAll(block.Ops, default(NoNotes));
        if (isDone)
        {
            NoteTarget(block);
        }

        return isDone;
    }

    /// <summary>Executes the instructions of a block, and says whether nothing is pending.</summary>
    private bool ExecuteAll<TNotes>(MicroOp[] ops, TNotes notes)
        where TNotes : struct, IOpNotes
    {
        ProcessorState* current = state;
        Interpreter executing = interpreter;
        long allowed = current->ExecutedLimit - current->Executed;
        current->BlockEnd = allowed < ops.Length ? (int)allowed : ops.Length;
        int i = 0;
        while (i < current->BlockEnd)
        {
            notes.Note(ops, i);
            ref MicroOp op = ref ops[i++];
            current->Rip = op.NextRip;
            if (!executing.Execute(ref op))
            {
                current->Executed += i;
                if (pending.Kind != PendingKind.ExitBehind)
                {
                    current->Rip = op.Rip;
                }

                return false;
            }
        }

        current->Executed += i;
        return true;
    }

    /// <summary>Remembers where an indirect branch went, for the compiler.</summary>
    private void NoteTarget(Block block)
    {
        if (block.Ops[^1].Op is Op.JmpIndirect or Op.CallIndirect && block.Heat < compiler.HotThreshold)
        {
            block.MakeNotes().NoteTarget(state->Rip);
        }
    }

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
    private readonly struct PageNotes(Operands operands, BlockNotes notes) : IOpNotes
    {
        public void Note(MicroOp[] ops, int index)
        {
            ref MicroOp op = ref ops[index];
            if (op.Destination == OperandKind.Memory || op.Source == OperandKind.Memory)
            {
                notes.NotePage(index, ops.Length, operands.Address(ref op));
            }
        }
    }
}
