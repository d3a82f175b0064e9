using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Decides when blocks are compiled, and has them compiled.</summary>
internal sealed unsafe class CodeCompiler(
    ProcessorState* state,
    Tlb tlb,
    BlockCache blocks,
    EmulatorOptions options,
    CodeCache code,
    CodeFetcher fetcher,
    CompiledCode compiled,
    CodeHolder holder,
    RegionVerifier verifier)
{
    /// <summary>Code that was changed more often than this is interpreted.</summary>
    private const int MostInvalidations = 8;

    /// <summary>How often a block is interpreted, where there was no memory for its code, before that is tried again.</summary>
    private const int ExecutionsWithoutMemory = 100_000;

    /// <summary>
    /// The first code that a driver compiles waits until a machine has executed as many instructions: it takes the time in which the runtime
    /// compiles the compiler, which is more than a short call takes. Where all was compiled ahead of time, nothing waits.
    /// </summary>
    private static readonly int ExecutedBeforeFirst = RuntimeFeature.IsDynamicCodeCompiled ? 100_000 : 0;

    /// <summary>How large the compiled code may become before all is forgotten: one machine leaves half of the memory that all share to others.</summary>
    private readonly long _mostCompiled = Math.Min(options.MostCompiledBytes, options.MostSharedBytes / 2);

    /// <summary>Where the guest spends its time; none if the compiler does not want to know.</summary>
    private readonly RunningRegions? _runningRegions = code.Compiler is { UsesPages: true } ? new RunningRegions() : null;

    /// <summary>How often a block is interpreted before it is compiled; never if there is no compiler.</summary>
    public int HotThreshold { get; } = code.Compiler is { } compiler ? options.HotThreshold ?? compiler.HotThreshold : int.MaxValue;

    /// <summary>How often a region was compiled again, with predictions.</summary>
    public long CompiledToPredict { get; private set; }

    /// <summary>Compiles the code around a block.</summary>
    public void Compile(Block first)
    {
        if (options.HotThreshold is null && !code.HasCompiled && state->Executed < ExecutedBeforeFirst)
        {
            first.Heat = 0;
            return;
        }

        if (fetcher.ReadsClock(in first.Ops[0]) || first.Pages().Any(p => blocks.Invalidations(p.Page) > MostInvalidations))
        {
            return;
        }

        List<RegionNode> nodes = new RegionBuilder(FindExecuted, tlb.IsUser).Build(first);
        if (code.GetOrCompile(nodes, tlb.IsUser, holder, out bool isTooLarge) is not { } found)
        {
            // What is too large stays so: the block goes on to count, and is not compiled.
            first.Heat = isTooLarge ? first.Heat : -ExecutionsWithoutMemory;
            return;
        }

        if (compiled.Size + found.Size > _mostCompiled)
        {
            // The first is about to be executed, and has to notice if it changes itself.
            blocks.Clear();
            compiled.NoteForgotten();
            blocks.Add(first);
            first.Heat = 0;
            return;
        }

        Use(nodes, found);
    }

    /// <summary>Compiled code has returned before a block because it has executed all that it may at once.</summary>
    public void NoteRunning(Block block)
    {
        if (block.Region is { } region && _runningRegions?.See(region) == true)
        {
            Predict(region);
        }
    }

    /// <summary>Compiles a region again, with predictions: the blocks are the same, and what was noted of them.</summary>
    private void Predict(Region region)
    {
        if (!region.MayBeLinked(fetcher.Run) || !region.Code.IsFor(tlb.IsUser))
        {
            return;
        }

        List<RegionNode> nodes = region.Predicting();
        if (code.GetOrCompile(nodes, tlb.IsUser, holder, out _) is { } found && compiled.Size + found.Size <= _mostCompiled)
        {
            CompiledToPredict++;
            Use(nodes, found);
            blocks.NoteReplaced();
        }
    }

    private void Use(List<RegionNode> nodes, RegionCode found)
    {
        holder.BecomeHolder();
        Region region = Region.Create(nodes, found);
        region.VerifiedInRun = fetcher.Run;
        verifier.NoteInPlace(region);
        compiled.Size += found.Size;
    }

    /// <summary>A block that was executed before and is still what it was, found without side effects.</summary>
    private Block? FindExecuted(ulong rip)
    {
        ref TlbEntry entry = ref tlb.Slot(rip);
        if (entry.FetchTag != (rip & ~HostPage.OffsetMask))
        {
            return null;
        }

        Block? block = blocks.Find(entry.Page.Identity | (rip & HostPage.OffsetMask), rip);
        return block is { Heat: > 0 } && block.VerifiedInRun == fetcher.Run && HasSecondPage(block) && !fetcher.ReadsClock(in block.Ops[0])
            ? block
            : null;
    }

    /// <summary>Whether the page of a block's last byte, if that is another, is where it was when the block was decoded.</summary>
    private bool HasSecondPage(Block block)
    {
        if (block.SecondPage is not { } second)
        {
            return true;
        }

        ulong address = (block.Rip | HostPage.OffsetMask) + 1;
        ref TlbEntry entry = ref tlb.Slot(address);
        return entry.FetchTag == address && entry.Page.Identity == second.Identity;
    }
}
