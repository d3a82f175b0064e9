using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using Iced.Intel;
using Decoder = Iced.Intel.Decoder;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Fetches and decodes blocks.</summary>
internal sealed partial class Processor
{
    private const int LongestBlock = 64;

    private readonly CodeBuffer _code = new();
    private readonly MicroOp[] _decoded = new MicroOp[LongestBlock];
    private Decoder? _decoder;

    /// <summary>The block at RIP, or <see langword="null"/> and something is pending.</summary>
    private Block? FindBlock()
    {
        ref TlbEntry entry = ref _tlb.Slot(_rip);
        if (entry.FetchTag != (_rip & ~HostPage.OffsetMask) && !FillForFetch(_rip, ref entry))
        {
            return null;
        }

        HostPage page = entry.Page;
        Block? block = _blocks.Find(page.Identity | (_rip & HostPage.OffsetMask), _rip);
        if (block is not null && block.VerifiedInRun == _run && block.SecondPage is null)
        {
            return block;
        }

        return block is null ? Decode(_rip, page) : Verify(block, page);
    }

    /// <summary>A block that was found, or what replaces it if its memory is not what it was.</summary>
    private Block? Verify(Block block, HostPage page)
    {
        if (block.SecondPage is { } second)
        {
            ulong address = (block.Rip | HostPage.OffsetMask) + 1;
            ref TlbEntry entry = ref _tlb.Slot(address);
            if (entry.FetchTag != address && !FillForFetch(address, ref entry))
            {
                return null;
            }

            if (entry.Page.Identity != second.Identity)
            {
                return Decode(block.Rip, page);
            }
        }

        if (block.VerifiedInRun != _run && !block.Matches())
        {
            _blocks.Invalidate(page);
            return Decode(block.Rip, page);
        }

        block.VerifiedInRun = _run;
        return block;
    }

    private bool FillForFetch(ulong rip, ref TlbEntry entry)
    {
        if (!Translate(rip, Access.Fetch, out ulong physical))
        {
            return false;
        }

        return entry.FetchTag == (rip & ~HostPage.OffsetMask)
            || ExitWith(VmExit.AccessViolation(physical, MemoryFlags.Execute));
    }

    private Block? Decode(ulong rip, HostPage page)
    {
        _code.Start();
        _code.Append(page.From(rip)[..Math.Min(page.From(rip).Length, LongestBlock * LongInstruction.MostBytes)]);
        _decoder ??= Decoder.Create(64, _code);
        _decoder.IP = rip;
        int count = 0;
        int length = 0;
        while (count < LongestBlock)
        {
            _decoder.Decode(out Instruction instruction);
            if (_decoder.LastError == DecoderError.NoMoreBytes)
            {
                break;
            }

            int end = _code.Position;
            ref MicroOp op = ref _decoded[count];
            op = Translate(in instruction, end);
            if (count > 0 && ReadsClock(in op))
            {
                break;
            }

            count++;
            length = end;
            if (OpTable.EndsBlock(op.Op))
            {
                break;
            }
        }

        return count == 0
            ? DecodeCrossing(rip, page)
            : Remember(new Block(rip, page, null, _code.Consumed(length).ToArray(), _decoded.AsSpan(0, count).ToArray()));
    }

    /// <summary>
    /// Whether an instruction reads the number of instructions executed, which is the clock of a processor with a seed. It
    /// must be the first of its block, and the block must be interpreted: then, and only then, that number is exact.
    /// </summary>
    private bool ReadsClock(in MicroOp op) => seed is not null && OpTable.ReadsClock(op.Op);

    /// <summary>A single instruction that begins in one page and ends in the next.</summary>
    private Block? DecodeCrossing(ulong rip, HostPage page)
    {
        ulong address = (rip | HostPage.OffsetMask) + 1;
        ref TlbEntry entry = ref _tlb.Slot(address);
        if (entry.FetchTag != address && !FillForFetch(address, ref entry))
        {
            return null;
        }

        HostPage second = entry.Page;
        int inFirst = _code.Length;
        _code.Append(second.From(0)[..LongInstruction.MostBytes]);
        _code.Position = 0;
        _decoder!.IP = rip;
        _decoder.Decode(out Instruction instruction);
        MicroOp op = Translate(in instruction, _code.Position);
        byte[] bytes = _code.Consumed(_code.Position).ToArray();
        return Remember(new Block(rip, page, bytes.Length > inFirst ? second : null, bytes, [op]));
    }

    /// <summary>Translates an instruction that ends at a position of <see cref="_code"/>.</summary>
    private MicroOp Translate(in Instruction instruction, int end)
    {
        MicroOp op = Translator.Translate(in instruction);
        if (instruction.IsInvalid && LongInstruction.IsTooLong(_code.Consumed(end)[^op.Length..]))
        {
            op.Op = Op.TooLong;
        }

        return op;
    }

    private Block Remember(Block block)
    {
        block.VerifiedInRun = _run;
        foreach ((_, HostPage page) in block.Pages())
        {
            if (!_blocks.HasCode(page))
            {
                _tlb.ProtectFromWrites(page);
            }
        }

        _blocks.Add(block);
        return block;
    }
}
