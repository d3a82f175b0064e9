using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using static Hyperlight.Emulator.Cpu.ControlBits;
using static Hyperlight.Emulator.Cpu.FlagBits;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Enters emitted machine code, and what such code calls.</summary>
internal sealed unsafe class EmittedCodeRunner(
    ProcessorState* state,
    Tlb tlb,
    BlockCache blocks,
    Flags flags,
    CodePlacesByPrivilege places,
    CodeFetcher fetcher,
    CompiledCode compiled,
    RegionVerifier verifier,
    CodeSupport support)
{
    private const int SavedFlagsShift = 8;

    /// <summary>All exceptions of floating-point instructions are masked.</summary>
    private const uint MxcsrMasks = 0x1F80;

    /// <summary>That of the processor whose emitted code this thread is in: the code has no reference to it.</summary>
    [ThreadStatic]
    private static EmittedCodeRunner? _running;

    /// <summary>What went wrong in the host while emitted code called the interpreter: it cannot pass through such code.</summary>
    private ExceptionDispatchInfo? _escaped;

    /// <summary>How often emitted code was entered from here, and not from other emitted code.</summary>
    public long CodeEntries { get; private set; }

    /// <summary>Executes emitted code from a block on, which every check permits.</summary>
    /// <remarks>
    /// The runtime lets a garbage collection take place while the code runs: it uses nothing of the managed heap. The caller
    /// keeps the code, and a run the memory of the processor.
    /// </remarks>
    public RegionExit Run(EmittedCode emitted, Region region, int entry)
    {
        if (!MayRun(emitted))
        {
            return RegionExit.Interpret;
        }

        CodeEntries++;
        LinkTable links = compiled.Links;
        links.Refresh(LinkStamp, places.Current, blocks.Version, fetcher.Run);
        links.Add(state->Rip, region, emitted, entry);

        // The host may run another machine while it accesses memory of this one.
        EmittedCodeRunner? outer = _running;
        _running = this;
        compiled.NoteRunning(region);
        SaveFlags();
        state->Interpret = &InterpretForEmitted;
        state->Links = links.Entries;
        state->LinkMask = links.Mask;
        state->Linked = null;
        ShareState();
        state->Remaining = state->CodeLimit - state->Executed;
        tlb.Predictions.Use(state->Executed);
        var enter = (delegate* unmanaged[Cdecl]<ProcessorState*, nint, int>)emitted.Address;
        var exit = (RegionExit)enter(state, emitted.EntryOf(entry));
        _running = outer;
        RestoreFlags();
        state->Executed = state->CodeLimit - state->Remaining;
        if (_escaped is { } escaped)
        {
            _escaped = null;
            escaped.Throw();
        }

        return exit;
    }

    /// <summary>Executes one instruction for emitted code. It must not throw.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int InterpretForEmitted(ProcessorState* state, int instruction)
    {
        EmittedCodeRunner runner = _running!;
        try
        {
            return (int)runner.Interpret(instruction);
        }
#pragma warning disable CA1031 // Nothing may pass through emitted code: it is thrown again behind it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            runner._escaped = ExceptionDispatchInfo.Capture(exception);
            return (int)RegionExit.Pending;
        }
    }

    private RegionExit Interpret(int instruction)
    {
        if (state->Linked != null)
        {
            compiled.NoteRunning(compiled.Links.RegionOf(state->Linked));
            state->Linked = null;
        }

        RestoreFlags();
        RegionExit exit = Execute(compiled.Running!.Ops.AsSpan(instruction));
        SaveFlags();
        ShareState();
        tlb.Predictions.Use(state->Executed);
        verifier.VerifyPlaces();
        compiled.Links.Refresh(LinkStamp, places.Current, blocks.Version, fetcher.Run);

        // The instruction may have asked for exceptions.
        return exit == RegionExit.Continue && !MayRun(compiled.Running) ? RegionExit.Interpret : exit;
    }

    /// <summary>
    /// Executes an instruction for emitted code, and those whose operands one translation was to serve with it: they are not in one page, or
    /// that is not translated.
    /// </summary>
    /// <param name="ops">The instructions from that one on.</param>
    private RegionExit Execute(ReadOnlySpan<EmittedOp> ops)
    {
        int last = ops[0].Following;

        // Emitted code leaves what the page's address was taken from: in that page, it is the offset of the first operand.
        bool isApart = last != 0 && state->Scratch < HostPage.Size;
        if (isApart && compiled.RunningRegion!.NoteApart(ops[0].Op.Rip, state->Executed))
        {
            blocks.Forget(compiled.RunningRegion);
        }

        for (int i = 0; ; i++)
        {
            ref MicroOp op = ref ops[i].Op;
            state->Scratch = (ulong)ops[i].Behind;
            RegionExit exit = support.Execute(ref op);
            if (i == last)
            {
                return exit;
            }

            bool goesOn = exit == RegionExit.Continue
                || (exit == RegionExit.Interpret && OpTable.EndsBlock(op.Op) && state->BlockEnd != 0 && !state->IsCancelled
                    && state->Rip == ops[i + 1].Op.Rip);
            if (!goesOn)
            {
                return exit;
            }
        }
    }

    /// <summary>
    /// Whether the processor's state permits code: no instruction of it may raise an exception that the host would have to
    /// turn into one of the guest.
    /// </summary>
    private bool MayRun(EmittedCode emitted) =>
        emitted.IsFor(tlb.IsUser) && (!emitted.UsesVectors || PermitsVectors) && (!emitted.UsesFloats || PermitsFloats);

    private bool PermitsVectors => ((state->Control.Cr0 & (Cr0Emulation | Cr0TaskSwitched)) | (~state->Control.Cr4 & Cr4FxsaveRestore)) == 0;

    private bool PermitsFloats => (state->Mxcsr & MxcsrMasks) == MxcsrMasks;

    /// <summary>What the checks before any code is entered depend on, as it is now.</summary>
    private LinkStamp LinkStamp => new(PermitsVectors, PermitsFloats);

    /// <summary>Puts what emitted code reads of the processor, but never changes or only adds to, where it finds it.</summary>
    private void ShareState()
    {
        state->FsBase = state->Segments.Fs.Base;
        state->GsBase = state->Segments.Gs.Base;
        state->Direction = flags.Backwards ? 1 : 0;
    }

    /// <summary>Puts the arithmetic flags where emitted code takes them from.</summary>
    private void SaveFlags() =>
        state->Flags = ((flags.Read() & ArithmeticFlags & 0xFF) << SavedFlagsShift) | (flags.Overflow ? 1UL : 0);

    /// <summary>Takes the arithmetic flags from where emitted code left them.</summary>
    private void RestoreFlags()
    {
        ulong saved = state->Flags;
        flags.WriteArithmetic((saved >> SavedFlagsShift & 0xFF) | ((saved & 1) != 0 ? FlagOverflow : 0));
    }
}
