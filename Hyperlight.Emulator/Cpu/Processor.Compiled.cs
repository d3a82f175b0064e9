using System.Runtime.CompilerServices;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Enters compiled code, and what such code calls for anything but the common cases.</summary>
internal sealed unsafe partial class Processor
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

    /// <summary>
    /// How many instructions compiled code executes before it returns, so that the processor looks whether the run has to end, or other
    /// machines need the memory: much less than a millisecond of most code.
    /// </summary>
    private const int InstructionsPerLook = 1 << 18;

    /// <summary>Up to which number of instructions compiled code runs.</summary>
    private long _codeLimit;

    /// <summary>
    /// At which number the processor looks next. How often code was entered meanwhile makes no difference: what is running when it looks is then
    /// what runs most.
    /// </summary>
    private long _nextLook;

    /// <summary>The size of the code that was compiled since all was forgotten, code that is gone again included.</summary>
    private long _compiled;

    /// <summary>How large that may become before all is forgotten: one machine leaves half of the memory that all share to others.</summary>
    private readonly long _mostCompiled = Math.Min(options.MostCompiledBytes, options.MostSharedBytes / 2);

    /// <summary>What <see cref="LoadForCode"/> loaded.</summary>
    private ulong _loaded;

    /// <summary>The pages that code relies on, for each privilege that has run some.</summary>
    private CodePlaces? _supervisorPlaces;
    private CodePlaces? _userPlaces;
    private Func<CodePlace, bool>? _isInPlace;

    /// <summary>How often a block is interpreted before it is compiled; never if there is no compiler.</summary>
    private readonly int _hotThreshold = code.Compiler is { } compiler ? options.HotThreshold ?? compiler.HotThreshold : int.MaxValue;

    /// <summary>Compiles the code around a block.</summary>
    private void Compile(Block first)
    {
        if (options.HotThreshold is null && !code.HasCompiled && _executed < ExecutedBeforeFirst)
        {
            first.Heat = 0;
            return;
        }

        if (ReadsClock(in first.Ops[0]) || first.Pages().Any(p => _blocks.Invalidations(p.Page) > MostInvalidations))
        {
            return;
        }

        List<RegionNode> nodes = new RegionBuilder(FindExecuted, _tlb.IsUser).Build(first);
        if (code.GetOrCompile(nodes, _tlb.IsUser, this, out bool isTooLarge) is not { } compiled)
        {
            // What is too large stays so: the block goes on to count, and is not compiled.
            first.Heat = isTooLarge ? first.Heat : -ExecutionsWithoutMemory;
            return;
        }

        if (_compiled + compiled.Size > _mostCompiled)
        {
            // The first is about to be executed, and has to notice if it changes itself.
            _blocks.Clear();
            NoteCodeIsForgotten();
            _blocks.Add(first);
            first.Heat = 0;
            return;
        }

        Use(nodes, compiled);
    }

    private void Use(List<RegionNode> nodes, RegionCode compiled)
    {
        BecomeHolder();
        Region region = Region.Create(nodes, compiled);
        region.VerifiedInRun = _run;
        NoteInPlace(region);
        _compiled += compiled.Size;
    }

    /// <summary>A block that was executed before and is still what it was, found without side effects.</summary>
    private Block? FindExecuted(ulong rip)
    {
        ref TlbEntry entry = ref _tlb.Slot(rip);
        if (entry.FetchTag != (rip & ~HostPage.OffsetMask))
        {
            return null;
        }

        Block? block = _blocks.Find(entry.Page.Identity | (rip & HostPage.OffsetMask), rip);
        return block is { Heat: > 0 } && block.VerifiedInRun == _run && HasSecondPage(block) && !ReadsClock(in block.Ops[0])
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
        ref TlbEntry entry = ref _tlb.Slot(address);
        return entry.FetchTag == address && entry.Page.Identity == second.Identity;
    }

    /// <summary>Executes compiled code, and says whether nothing is pending.</summary>
    private bool Enter(Region region, Block block)
    {
        if (!IsInPlace(region) || !IsUnchanged(region) || !ReferenceEquals(block.Region, region))
        {
            // These checks can make the processor forget blocks, also this one: what it would change of itself would go unnoticed.
            return FindBlock() is { } current ? Interpret(current) : CountNotFetched();
        }

        _blockEnd = int.MaxValue;
        _countedAgain = 0;
        if (_nextLook - _executed is < RegionBuilder.MostInstructions or > InstructionsPerLook)
        {
            _nextLook = _executed + InstructionsPerLook;
        }

        _codeLimit = Math.Min(_executedLimit, _nextLook);
        RegionExit exit = region.Code.Run(this, region, block.Entry);
        _executed -= _countedAgain;
        switch (exit)
        {
            case RegionExit.Continue:
                return true;
            case RegionExit.Pending:
                return false;
            default:
                return IsCancelled || _executed >= _executedLimit || MustInterpret || _isWindowWanted
                    || (FindBlock() is { } next ? InterpretBehindCode(next) : CountNotFetched());
        }
    }

    /// <summary>Executes a block before which compiled code has returned.</summary>
    private bool InterpretBehindCode(Block block)
    {
        if (_nextLook - _executed < RegionBuilder.MostInstructions)
        {
            NoteRunning(block);
        }

        return Interpret(block);
    }

    /// <summary>Whether a region's pages are where they were; if not, it is forgotten.</summary>
    private bool IsInPlace(Region region)
    {
        VerifyPlaces();
        if (region.IsInPlace && region.IsFoundForUser == _tlb.IsUser)
        {
            return true;
        }

        if (!region.Code.IsFor(_tlb.IsUser))
        {
            region.Invalidate();
            return false;
        }

        foreach ((ulong address, HostPage page) in region.Pages)
        {
            if (!TryProbe(address, out HostPage current) || current.Identity != page.Identity)
            {
                region.Invalidate();
                return false;
            }
        }

        NoteInPlace(region);
        return true;
    }

    /// <summary>A region's pages are where they were: that holds until the translation of one of them is forgotten.</summary>
    private void NoteInPlace(Region region) => region.NotePlaces(Places.Note(region.Pages), _tlb.IsUser);

    /// <summary>The pages that code of the present privilege relies on.</summary>
    private CodePlaces Places => _tlb.IsUser ? _userPlaces ??= new CodePlaces() : _supervisorPlaces ??= new CodePlaces();

    /// <summary>Looks the pages up that code relies on, if translations were forgotten since.</summary>
    private void VerifyPlaces()
    {
        CodePlaces places = Places;
        if (places.IsDoubtful(_tlb.Flushes))
        {
            places.Verify(_tlb.Flushes, _isInPlace ??= IsInPlace);
        }
    }

    /// <summary>Forgets the translation of a page, which code may rely on.</summary>
    private void ForgetTranslation(ulong address)
    {
        _tlb.FlushPage(address);
        _supervisorPlaces?.Forget(address);
        _userPlaces?.Forget(address);
    }

    /// <summary>Whether a region's bytes are what they were: the host may change them between runs. If not, it is forgotten.</summary>
    private bool IsUnchanged(Region region)
    {
        if (region.VerifiedInRun == _run)
        {
            return true;
        }

        if (!region.Matches())
        {
            foreach ((_, HostPage page) in region.Pages)
            {
                _blocks.Invalidate(page);
            }

            return false;
        }

        region.VerifiedInRun = _run;
        return true;
    }

    /// <summary>
    /// Finds the page of code at an address. The guest sees no effect but accessed bits, which processors set ahead of time as well.
    /// </summary>
    private bool TryProbe(ulong address, out HostPage page)
    {
        ref TlbEntry entry = ref _tlb.Slot(address);
        if (entry.FetchTag != address)
        {
            ulong faultAddress = _cr2;
            if (!Translate(address, Access.Fetch, out _))
            {
                _cr2 = faultAddress;
                _pending = Pending.None;
                page = default;
                return false;
            }
        }

        page = entry.Page;
        return entry.FetchTag == address;
    }

    private bool LoadForCode(ulong address, int size) => Load(address, size, out _loaded);

    private bool LoadForStoreByCode(ulong address, int size) => LoadForStore(address, size, out _loaded);

    /// <summary>Stores; afterwards <see cref="_blockEnd"/> is zero if code changed.</summary>
    private bool StoreByCode(ulong address, int size, ulong value) => Store(address, size, value);

    /// <summary>Executes an instruction that is not compiled. Its registers and flags are in the processor's fields.</summary>
    private RegionExit ExecuteForCode(ref MicroOp op)
    {
        _rip = op.NextRip;
        if (Execute(ref op))
        {
            // It may have taken long.
            return _blockEnd == 0 || OpTable.EndsBlock(op.Op) || Volatile.Read(ref _state->CancelRequested) != 0
                ? RegionExit.Interpret
                : RegionExit.Continue;
        }

        if (_pending != Pending.ExitBehind)
        {
            _rip = op.Rip;
        }

        return RegionExit.Pending;
    }

    /// <summary>Works the flags out from what they follow from.</summary>
    private void SetFlags(FlagSource source, ulong a, ulong b, ulong result, ulong carry)
    {
        int size = (int)(source & FlagSource.SizeMask);
        switch (source & FlagSource.KindMask)
        {
            case FlagSource.Processor:
                break;
            case FlagSource.Add:
                SetArithmetic(result, (a & b) | ((a | b) & ~result), size);
                break;
            case FlagSource.Subtract:
                Subtract(a, b, 0, size);
                break;
            case FlagSource.SubtractWithBorrow:
                SetArithmetic(result, (~a & b) | ((~a | b) & result), size);
                break;
            case FlagSource.Logic:
                SetLogic(result, size);
                break;
            case FlagSource.Increment:
                Add(result - 1, 1, 0, size);
                SetCarries(carry != 0, Overflow, Adjust);
                break;
            case FlagSource.Decrement:
                Subtract(result + 1, 1, 0, size);
                SetCarries(carry != 0, Overflow, Adjust);
                break;
            case FlagSource.Product:
                SetProduct(result, a != 0, size);
                break;
            default:
                SetShiftFlags(ShiftOf(source), Truncate(a, size), Truncate(result, size), (int)b, size);
                break;
        }
    }

    private static Op ShiftOf(FlagSource source) => (source & FlagSource.KindMask) switch
    {
        FlagSource.ShiftLeft => Op.Shl,
        FlagSource.ShiftRight => Op.Shr,
        _ => Op.Sar,
    };

    /// <summary>CF alone, 0 or 1.</summary>
    private ulong CarryOf(FlagSource source, ulong a, ulong b, ulong result, ulong carry)
    {
        if ((source & FlagSource.KindMask) is FlagSource.Increment or FlagSource.Decrement)
        {
            return carry;
        }

        SetFlags(source, a, b, result, carry);
        return Carry ? 1UL : 0;
    }

    private static ulong MultiplyHigh(ulong a, ulong b) => Math.BigMul(a, b, out _);

    private static ulong MultiplyHighSigned(ulong a, ulong b) => (ulong)Math.BigMul((long)a, (long)b, out _);
}
