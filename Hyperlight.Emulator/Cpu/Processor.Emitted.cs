using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Enters emitted machine code, and what such code calls.</summary>
internal sealed unsafe partial class Processor
{
    private const int SavedFlagsShift = 8;

    /// <summary>All exceptions of floating-point instructions are masked.</summary>
    private const uint MxcsrMasks = 0x1F80;

    /// <summary>The processor whose emitted code this thread is in: that code has no reference to it.</summary>
    [ThreadStatic]
    private static Processor? _running;

    /// <summary>The code that is running, or the one that called the interpreter last: another one may be running that it led to.</summary>
    private EmittedCode? _emitted;

    /// <summary>Its region.</summary>
    private Region? _emittedRegion;

    /// <summary>Where emitted code goes on, for each privilege that has run some.</summary>
    private LinkTable? _supervisorLinks;
    private LinkTable? _userLinks;

    /// <summary>How often emitted code was entered from here, and not from other emitted code.</summary>
    public long CodeEntries { get; private set; }

    /// <summary>What went wrong in the host while emitted code called the interpreter: it cannot pass through such code.</summary>
    private ExceptionDispatchInfo? _escaped;

    /// <summary>Executes emitted code from a block on, which every check permits.</summary>
    /// <remarks>
    /// The runtime lets a garbage collection take place while the code runs: it uses nothing of the managed heap. The caller
    /// keeps the code, and a run the memory of the processor.
    /// </remarks>
    public RegionExit RunEmitted(EmittedCode emitted, Region region, int entry)
    {
        if (!MayRun(emitted))
        {
            return RegionExit.Interpret;
        }

        CodeEntries++;
        LinkTable links = Links;
        links.Refresh(LinkStamp, Places, _blocks.Version, _run);
        links.Add(_rip, region, emitted, entry);
        _running = this;
        (_emitted, _emittedRegion) = (emitted, region);
        SaveFlags();
        _state->Interpret = &InterpretForEmitted;
        _state->Links = links.Entries;
        _state->LinkMask = links.Mask;
        _state->Linked = null;
        ShareState();
        _state->Remaining = _codeLimit - _executed;
        _tlb.Predictions.Use(_executed);
        var enter = (delegate* unmanaged[Cdecl]<ProcessorState*, nint, int>)emitted.Address;
        var exit = (RegionExit)enter(_state, emitted.EntryOf(entry));
        RestoreFlags();
        _mxcsr = _state->Mxcsr;
        _executed = _codeLimit - _state->Remaining;
        _rip = _state->Rip;
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
        Processor processor = _running!;
        try
        {
            if (state->Linked != null)
            {
                processor._emittedRegion = processor.Links.RegionOf(state->Linked);
                processor._emitted = (EmittedCode)processor._emittedRegion.Code;
                state->Linked = null;
            }

            processor.RestoreFlags();
            processor._mxcsr = state->Mxcsr;
            RegionExit exit = processor.ExecuteEmitted(processor._emitted!.Ops.AsSpan(instruction));
            processor.SaveFlags();
            state->Rip = processor._rip;
            processor.ShareState();
            processor._tlb.Predictions.Use(processor._executed);
            processor.VerifyPlaces();
            processor.Links.Refresh(processor.LinkStamp, processor.Places, processor._blocks.Version, processor._run);

            // The instruction may have asked for exceptions.
            return (int)(exit == RegionExit.Continue && !processor.MayRun(processor._emitted) ? RegionExit.Interpret : exit);
        }
#pragma warning disable CA1031 // Nothing may pass through emitted code: it is thrown again behind it.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            processor._escaped = ExceptionDispatchInfo.Capture(exception);
            return (int)RegionExit.Pending;
        }
    }

    /// <summary>
    /// Executes an instruction for emitted code, and those whose operands one translation was to serve with it: they are not in one page, or
    /// that is not translated.
    /// </summary>
    /// <param name="ops">The instructions from that one on.</param>
    private RegionExit ExecuteEmitted(ReadOnlySpan<EmittedOp> ops)
    {
        int last = ops[0].Following;

        // Emitted code leaves what the page's address was taken from: in that page, it is the offset of the first operand.
        bool isApart = last != 0 && _state->Scratch < HostPage.Size;
        if (isApart && _emittedRegion!.NoteApart(ops[0].Op.Rip, _executed))
        {
            _blocks.Forget(_emittedRegion);
        }

        for (int i = 0; ; i++)
        {
            ref MicroOp op = ref ops[i].Op;
            _state->Scratch = (ulong)ops[i].Behind;
            RegionExit exit = ExecuteForCode(ref op);
            if (i == last)
            {
                return exit;
            }

            bool goesOn = exit == RegionExit.Continue
                || (exit == RegionExit.Interpret && OpTable.EndsBlock(op.Op) && _blockEnd != 0 && !IsCancelled && _rip == ops[i + 1].Op.Rip);
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
        emitted.IsFor(_tlb.IsUser) && (!emitted.UsesVectors || PermitsVectors) && (!emitted.UsesFloats || PermitsFloats);

    private bool PermitsVectors => ((_cr0 & (Cr0Emulation | Cr0TaskSwitched)) | (~_cr4 & Cr4FxsaveRestore)) == 0;

    private bool PermitsFloats => (_mxcsr & MxcsrMasks) == MxcsrMasks;

    /// <summary>The links of the present privilege: code of the other one keeps its own.</summary>
    private LinkTable Links => _tlb.IsUser ? _userLinks ??= new LinkTable(native) : _supervisorLinks ??= new LinkTable(native);

    /// <summary>No block has code any more: nothing leads to any, and none counts. No emitted code is running.</summary>
    private void NoteCodeIsForgotten()
    {
        _supervisorLinks?.Free();
        _userLinks?.Free();
        _supervisorPlaces?.Clear();
        _userPlaces?.Clear();
        (_emitted, _emittedRegion) = (null, null);
        _compiled = 0;
    }

    /// <summary>What the checks before any code is entered depend on, as it is now.</summary>
    private LinkStamp LinkStamp => new(PermitsVectors, PermitsFloats);

    /// <summary>Puts what emitted code reads of the processor, but never changes or only adds to, where it finds it.</summary>
    private void ShareState()
    {
        _state->Mxcsr = _mxcsr;
        _state->FsBase = _fs.Base;
        _state->GsBase = _gs.Base;
        _state->Direction = Backwards ? 1 : 0;
    }

    /// <summary>Puts the arithmetic flags where emitted code takes them from.</summary>
    private void SaveFlags() =>
        _state->Flags = ((ReadFlags() & ArithmeticFlags & 0xFF) << SavedFlagsShift) | (Overflow ? 1UL : 0);

    /// <summary>Takes the arithmetic flags from where emitted code left them.</summary>
    private void RestoreFlags()
    {
        ulong saved = _state->Flags;
        WriteArithmeticFlags((saved >> SavedFlagsShift & 0xFF) | ((saved & 1) != 0 ? FlagOverflow : 0));
    }
}
