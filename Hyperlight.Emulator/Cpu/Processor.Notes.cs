using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What the interpreter notes of instructions for the compiler.</summary>
internal sealed unsafe partial class Processor
{
    /// <summary>From which execution on a block's operands are noted; never if the compiler does not want to know.</summary>
    private readonly int _notedFrom = code.Compiler is { UsesPages: true } compiler
        ? Math.Max(1, (options.HotThreshold ?? compiler.HotThreshold) - BlockNotes.Executions)
        : int.MaxValue;

    /// <summary>Whether code predicts when it is compiled for the first time.</summary>
    private readonly bool _predictsAll = options.PredictsAll ?? options.HotThreshold is not null;

    /// <summary>Where the guest spends its time; none if the compiler does not want to know.</summary>
    private readonly RunningRegions? _runningRegions = code.Compiler is { UsesPages: true } ? new RunningRegions() : null;

    /// <summary>Compiled code has returned before a block because it has executed all that it may at once.</summary>
    private void NoteRunning(Block block)
    {
        if (block.Region is { } region && _runningRegions?.See(region) == true)
        {
            Predict(region);
        }
    }

    /// <summary>How often a region was compiled again, with predictions.</summary>
    public long CompiledToPredict { get; private set; }

    /// <summary>Compiles a region again, with predictions: the blocks are the same, and what was noted of them.</summary>
    private void Predict(Region region)
    {
        if (!region.MayBeLinked(_run) || !region.Code.IsFor(_tlb.IsUser))
        {
            return;
        }

        List<RegionNode> nodes = region.Predicting();
        if (code.GetOrCompile(nodes, _tlb.IsUser, this, out _) is { } compiled && _compiled + compiled.Size <= _mostCompiled)
        {
            CompiledToPredict++;
            Use(nodes, compiled);
            _blocks.NoteReplaced();
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
