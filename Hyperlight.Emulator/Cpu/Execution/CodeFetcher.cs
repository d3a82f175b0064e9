using Hyperlight.Abstractions;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;
using Iced.Intel;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Fetches and decodes blocks.</summary>
internal sealed unsafe class CodeFetcher(
    ProcessorState* state,
    Tlb tlb,
    BlockCache blocks,
    PhysicalMemory physicalMemory,
    EmulatorOptions options,
    ulong? seed,
    DecodedCodeCache decodedCode,
    PendingEvent pending,
    AddressTranslation translation)
{
    /// <summary>Whether code predicts when it is compiled for the first time.</summary>
    private readonly bool _predictsAll = options.PredictsAll ?? options.HotThreshold is not null;

    private DecodedCodeShare _decodedShare;

    /// <summary>The number of the present run: before each, the host may have changed code.</summary>
    public long Run { get; set; }

    /// <summary>
    /// Counts an instruction that cannot be fetched as one that faults: a handler that cannot be fetched either would be
    /// entered again and again, and no budget would end that.
    /// </summary>
    public bool CountNotFetched()
    {
        state->Executed++;
        return false;
    }

    /// <summary>The block at RIP, or <see langword="null"/> and something is pending.</summary>
    public Block? FindBlock()
    {
        ref TlbEntry entry = ref tlb.Slot(state->Rip);
        if (entry.FetchTag != (state->Rip & ~HostPage.OffsetMask) && !FillForFetch(state->Rip, ref entry))
        {
            return null;
        }

        HostPage page = entry.Page;
        Block? block = blocks.Find(page.Identity | (state->Rip & HostPage.OffsetMask), state->Rip);
        if (block is not null && block.VerifiedInRun == Run && block.SecondPage is null)
        {
            return block;
        }

        return block is null ? Decode(state->Rip, page) : Verify(block, page);
    }

    /// <summary>A block that was found, or what replaces it if its memory is not what it was.</summary>
    private Block? Verify(Block block, HostPage page)
    {
        if (block.SecondPage is { } second)
        {
            ulong address = (block.Rip | HostPage.OffsetMask) + 1;
            ref TlbEntry entry = ref tlb.Slot(address);
            if (entry.FetchTag != address)
            {
                if (!FillForFetch(address, ref entry))
                {
                    return null;
                }

                // The page tables are marked by that, and the block can have been decoded from them.
                if (!ReferenceEquals(blocks.Find(block.Key, block.Rip), block))
                {
                    return Decode(block.Rip, page);
                }
            }

            if (entry.Page.Identity != second.Identity)
            {
                return Decode(block.Rip, page);
            }
        }

        if (block.VerifiedInRun != Run && !block.Matches())
        {
            blocks.Invalidate(page);
            return Decode(block.Rip, page);
        }

        block.VerifiedInRun = Run;
        return block;
    }

    private bool FillForFetch(ulong rip, ref TlbEntry entry)
    {
        if (!translation.Translate(rip, Access.Fetch, out ulong physical))
        {
            return false;
        }

        return entry.FetchTag == (rip & ~HostPage.OffsetMask)
            || pending.ExitWith(VmExit.AccessViolation(physical, MemoryFlags.Execute));
    }

    private Block? Decode(ulong rip, HostPage page)
    {
        bool hasSeed = seed is not null;
        if (decodedCode.Find(rip, page.From(rip), hasSeed) is { } known)
        {
            return Remember(known, page);
        }

        DecodingBuffers buffers = DecodingBuffers.OfThread;
        CodeBuffer code = buffers.Code;
        code.Start();
        code.Append(page.From(rip)[..Math.Min(page.From(rip).Length, CodeBuffer.Capacity - LongInstruction.MostBytes)]);
        buffers.Decoder.IP = rip;
        int count = 0;
        int length = 0;
        while (count < DecodingBuffers.LongestBlock)
        {
            buffers.Decoder.Decode(out Instruction instruction);
            if (buffers.Decoder.LastError == DecoderError.NoMoreBytes)
            {
                break;
            }

            int end = code.Position;
            ref MicroOp op = ref buffers.Ops[count];
            op = Translate(in instruction, code, end);
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

        if (count == 0)
        {
            return DecodeCrossing(rip, page, buffers);
        }

        var decoded = new DecodedCode(rip, code.Consumed(length).ToArray(), buffers.Ops.AsSpan(0, count).ToArray());
        if (blocks.Invalidations(page) == 0)
        {
            // What changes is probably nowhere else.
            decodedCode.Add(decoded, code.Appended, hasSeed, ref _decodedShare);
        }

        return Remember(decoded, page);
    }

    /// <summary>
    /// Whether an instruction reads the number of instructions executed, which is the clock of a processor with a seed. It
    /// must be the first of its block, and the block must be interpreted: then, and only then, that number is exact.
    /// </summary>
    public bool ReadsClock(in MicroOp op) => seed is not null && OpTable.ReadsClock(op.Op);

    /// <summary>A single instruction that begins in one page and ends in the next.</summary>
    private Block? DecodeCrossing(ulong rip, HostPage page, DecodingBuffers buffers)
    {
        CodeBuffer code = buffers.Code;
        ulong address = (rip | HostPage.OffsetMask) + 1;
        ref TlbEntry entry = ref tlb.Slot(address);
        if (entry.FetchTag != address && !FillForFetch(address, ref entry))
        {
            return null;
        }

        // From the first page again: the page tables were marked, and it can be one of them.
        code.Start();
        code.Append(page.From(rip));
        HostPage second = entry.Page;
        int inFirst = code.Length;
        code.Append(second.From(0)[..LongInstruction.MostBytes]);
        code.Position = 0;
        buffers.Decoder.IP = rip;
        buffers.Decoder.Decode(out Instruction instruction);
        MicroOp op = Translate(in instruction, code, code.Position);
        byte[] bytes = code.Consumed(code.Position).ToArray();
        bool isCrossing = bytes.Length > inFirst;
        return Remember(new DecodedCode(rip, bytes, [op]), page, isCrossing ? second : null);
    }

    /// <summary>Translates an instruction that ends at a position of the code.</summary>
    private static MicroOp Translate(in Instruction instruction, CodeBuffer code, int end)
    {
        MicroOp op = Translator.Translate(in instruction);
        if (instruction.IsInvalid && LongInstruction.IsTooLong(code.Consumed(end)[^op.Length..]))
        {
            op.Op = Op.TooLong;
        }

        return op;
    }

    private Block Remember(DecodedCode code, HostPage page, HostPage? secondPage = null)
    {
        Block block = secondPage is { } lastPage ? new CrossingBlock(page, lastPage, code) : new Block(page, code);
        block.IsFixed = physicalMemory.IsFixed(page) && (secondPage is not { } last || physicalMemory.IsFixed(last));
        block.VerifiedInRun = Run;
        if (_predictsAll)
        {
            block.Predicts = true;
        }

        NoteWrites(page);
        if (secondPage is { } second)
        {
            NoteWrites(second);
        }

        blocks.Add(block);
        return block;
    }

    /// <summary>From now on the processor is asked before a page is written.</summary>
    private void NoteWrites(HostPage page)
    {
        if (!blocks.HasCode(page))
        {
            tlb.ProtectFromWrites(page);
        }
    }
}
