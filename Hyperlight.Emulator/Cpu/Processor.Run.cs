using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Emulator.Cpu;

/// <summary>The way from RIP to executed instructions.</summary>
internal sealed partial class Processor
{
    private const int LongestBlock = 64;
    private const int LongestInstruction = 15;

    private readonly CodeBuffer _code = new();
    private readonly MicroOp[] _decoded = new MicroOp[LongestBlock];

    /// <summary>An instruction that crosses pages is decoded anew each time, into this block.</summary>
    private readonly Block _crossing = new(0, 0, [], new MicroOp[1]);
    private Decoder? _decoder;
    private long _run;
    private int _cancelRequested;

    /// <summary>Instructions of the running block that may be executed: 0 once they may have changed.</summary>
    private int _blockEnd;

    /// <summary>Asks the run, or the next one, to end.</summary>
    public void Cancel() => Volatile.Write(ref _cancelRequested, 1);

    /// <summary>Executes instructions until one, or the host, ends it.</summary>
    public VmExit Run()
    {
        // The host may have written over code since the last run.
        _run++;
        while (true)
        {
            if (Volatile.Read(ref _cancelRequested) != 0 && Interlocked.Exchange(ref _cancelRequested, 0) != 0)
            {
                return VmExit.Cancelled;
            }

            if ((FindBlock() is { } block && Execute(block)) || Deliver())
            {
                continue;
            }

            return _exit;
        }
    }

    /// <summary>Executes a block, and says whether nothing is pending.</summary>
    private bool Execute(Block block)
    {
        MicroOp[] ops = block.Ops;
        _blockEnd = ops.Length;
        int i = 0;
        while (i < _blockEnd)
        {
            ref MicroOp op = ref ops[i++];
            _rip = op.NextRip;
            if (!Execute(ref op))
            {
                InstructionCount += i;
                if (_pending != Pending.ExitBehind)
                {
                    _rip = op.Rip;
                }

                return false;
            }
        }

        InstructionCount += i;
        return true;
    }

    /// <summary>The block at RIP, or <see langword="null"/> and something is pending.</summary>
    private Block? FindBlock()
    {
        ref TlbEntry entry = ref _tlb.Slot(_rip);
        if (entry.FetchTag != (_rip & ~HostPage.OffsetMask) && !FillForFetch(ref entry))
        {
            return null;
        }

        HostPage page = entry.Page;
        ulong key = page.Identity | (_rip & HostPage.OffsetMask);
        Block? block = _blocks.Find(key, _rip);
        if (block is null)
        {
            return Decode(page, key);
        }

        if (block.VerifiedInRun != _run)
        {
            if (!page.From(_rip)[..block.Bytes.Length].SequenceEqual(block.Bytes))
            {
                _blocks.Invalidate(page);
                return Decode(page, key);
            }

            block.VerifiedInRun = _run;
        }

        return block;
    }

    private bool FillForFetch(ref TlbEntry entry)
    {
        if (!Translate(_rip, Access.Fetch, out ulong physical))
        {
            return false;
        }

        return entry.FetchTag == (_rip & ~HostPage.OffsetMask)
            || ExitWith(VmExit.AccessViolation(physical, MemoryFlags.Execute));
    }

    private Block? Decode(HostPage page, ulong key)
    {
        _code.Start();
        _code.Append(page.From(_rip)[..Math.Min(page.From(_rip).Length, LongestBlock * LongestInstruction)]);
        _decoder ??= Decoder.Create(64, _code);
        _decoder.IP = _rip;
        int count = 0;
        int length = 0;
        while (count < LongestBlock)
        {
            _decoder.Decode(out Instruction instruction);
            if (_decoder.LastError == DecoderError.NoMoreBytes)
            {
                break;
            }

            length = _code.Position;
            ref MicroOp op = ref _decoded[count++];
            op = Translator.Translate(in instruction);
            if (OpTable.EndsBlock(op.Op))
            {
                break;
            }
        }

        if (count == 0)
        {
            return DecodeCrossing();
        }

        var block = new Block(key, _rip, _code.Consumed(length).ToArray(), _decoded.AsSpan(0, count).ToArray())
        {
            VerifiedInRun = _run,
        };
        if (!_blocks.HasCode(page))
        {
            _tlb.ProtectFromWrites(page);
        }

        _blocks.Add(block);
        return block;
    }

    private Block? DecodeCrossing()
    {
        ulong second = (_rip | HostPage.OffsetMask) + 1;
        if (!Translate(second, Access.Fetch, out ulong physical))
        {
            return null;
        }

        if (!memory.TryGetPage(physical, out HostPage page, out _))
        {
            ExitWith(VmExit.AccessViolation(physical, MemoryFlags.Execute));
            return null;
        }

        _code.Append(page.From(second)[..LongestInstruction]);
        _code.Position = 0;
        _decoder!.IP = _rip;
        _decoder.Decode(out Instruction instruction);
        _crossing.Ops[0] = Translator.Translate(in instruction);
        return _crossing;
    }
}
