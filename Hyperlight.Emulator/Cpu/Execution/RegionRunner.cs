using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Enters compiled code.</summary>
internal sealed unsafe class RegionRunner(
    ProcessorState* state,
    Breakpoints breakpoints,
    CodeFetcher fetcher,
    RegionVerifier verifier,
    CodeCompiler compiler,
    BlockInterpreter blockInterpreter,
    CodeSupport support,
    EmittedCodeRunner emitted)
{
    /// <summary>
    /// How many instructions compiled code executes before it returns, so that the processor looks whether the run has to end, or other
    /// machines need the memory: much less than a millisecond of most code.
    /// </summary>
    private const int InstructionsPerLook = 1 << 18;

    /// <summary>
    /// At which number of executed instructions the processor looks next. How often code was entered meanwhile makes no difference: what is
    /// running when it looks is then what runs most.
    /// </summary>
    private long _nextLook;

    /// <summary>What compiled code calls.</summary>
    public CodeSupport Support => support;

    /// <summary>Runs code that was emitted as machine code.</summary>
    public EmittedCodeRunner Emitted => emitted;

    /// <summary>Executes compiled code, and says whether nothing is pending.</summary>
    public bool Enter(Region region, Block block)
    {
        if (!verifier.IsInPlace(region) || !verifier.IsUnchanged(region) || !ReferenceEquals(block.Region, region))
        {
            // These checks can make the processor forget blocks, also this one: what it would change of itself would go unnoticed.
            return fetcher.FindBlock() is { } current ? blockInterpreter.Interpret(current) : fetcher.CountNotFetched();
        }

        state->BlockEnd = int.MaxValue;
        state->CountedAgain = 0;
        if (_nextLook - state->Executed is < RegionBuilder.MostInstructions or > InstructionsPerLook)
        {
            _nextLook = state->Executed + InstructionsPerLook;
        }

        state->CodeLimit = Math.Min(state->ExecutedLimit, _nextLook);
        RegionExit exit = region.Code.Run(this, region, block.Entry);
        state->Executed -= state->CountedAgain;
        switch (exit)
        {
            case RegionExit.Continue:
                return true;
            case RegionExit.Pending:
                return false;
            default:
                return state->IsCancelled || state->Executed >= state->ExecutedLimit || breakpoints.MustInterpret || state->Interrupts.IsWindowWanted
                    || (fetcher.FindBlock() is { } next ? InterpretBehindCode(next) : fetcher.CountNotFetched());
        }
    }

    /// <summary>Executes a block before which compiled code has returned.</summary>
    private bool InterpretBehindCode(Block block)
    {
        if (_nextLook - state->Executed < RegionBuilder.MostInstructions)
        {
            compiler.NoteRunning(block);
        }

        return blockInterpreter.Interpret(block);
    }
}
