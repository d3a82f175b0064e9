using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>
/// Instructions that follow each other up to the first that may go elsewhere. They are in one page, or it is a single one
/// that crosses into a second.
/// </summary>
/// <param name="page">The page of the first byte.</param>
/// <param name="code">Its bytes and instructions.</param>
internal class Block(HostPage page, DecodedCode code)
{
    /// <summary>Its object, and its places in the tables of <see cref="BlockCache"/>.</summary>
    private const int FixedSize = 344;

    /// <summary>All compiled code that has its instructions: <see cref="Region"/>, and such that is entered elsewhere.</summary>
    private RegionSet _regions;

    private ushort _entry;

    /// <summary>Linear address of the first instruction.</summary>
    public ulong Rip => code.Rip;

    /// <summary>The page of the first byte.</summary>
    public HostPage Page { get; } = page;

    /// <summary>Whether it ends in another page: then it is a <see cref="CrossingBlock"/>.</summary>
    protected bool IsCrossing { get; init; }

    /// <summary>The page of the last byte if it is another.</summary>
    public HostPage? SecondPage => IsCrossing ? ((CrossingBlock)this).LastPage : null;

    /// <summary>Whether its memory never changes.</summary>
    public bool IsFixed { get; set; }

    /// <summary>What was decoded, to find out whether the host changed it since.</summary>
    public byte[] Bytes => code.Bytes;

    public MicroOp[] Ops => code.Ops;

    /// <summary>Host address of the first byte: tells blocks of aliased pages apart from others, but not from each other.</summary>
    public ulong Key => Page.Identity | (Rip & HostPage.OffsetMask);

    /// <summary>Where it begins in its page.</summary>
    public int Offset => (int)(Rip & HostPage.OffsetMask);

    /// <summary>The next one in a list of a <see cref="CodePage"/>.</summary>
    public Block? Next { get; set; }

    /// <summary>How often it was interpreted.</summary>
    public int Heat { get; set; }

    /// <summary>Whether its code is to predict the pages of operands.</summary>
    public bool Predicts
    {
        get => code.Predicts;
        set => code.Predicts = value;
    }

    /// <summary>What the interpreter has seen of it; none if there is nothing that the compiler wants to know.</summary>
    public BlockNotes? Notes { get; private set; }

    /// <summary>The run in which the bytes were last seen unchanged.</summary>
    public long VerifiedInRun { get; set; }

    /// <summary>The compiled code that is entered with it, while that is valid.</summary>
    public Region? Region { get; set; }

    /// <summary>Where it is entered in <see cref="Region"/>.</summary>
    public int Entry
    {
        get => _entry;
        set => _entry = (ushort)value;
    }

    /// <summary>Where its last instruction, an indirect jump or call, was seen to go.</summary>
    public IReadOnlyList<ulong> Targets => Notes?.Targets ?? [];

    /// <summary>Whether operands beside each other are often not in one page: compiled code can translate each of them by itself then.</summary>
    public bool HasOperandsApart { get; set; }

    /// <summary>The notes, to be added to.</summary>
    public BlockNotes MakeNotes() => Notes ??= new BlockNotes();

    /// <summary>Gives up what only code that is compiled anew follows from.</summary>
    public void ForgetPages()
    {
        Notes?.ForgetPages();
        if (Targets.Count == 0)
        {
            Notes = null;
        }
    }

    /// <summary>About how many bytes of the host's memory it takes.</summary>
    /// <remarks>That of code that other machines have as well is part of it: they can give it up.</remarks>
    public int MemorySize => FixedSize + code.MemorySize + BlockNotes.SizeOf(Ops);

    /// <summary>The bytes of one of its instructions.</summary>
    public ReadOnlySpan<byte> BytesOf(in MicroOp op) => Bytes.AsSpan((int)(op.Rip - Rip), op.Length);

    /// <summary>Whether it was executed in a run.</summary>
    public bool IsOfRun(long run) => VerifiedInRun == run || _regions.Any(region => region.VerifiedInRun == run);

    /// <summary>Notes compiled code that has its instructions.</summary>
    public void Add(Region region) => _regions.Add(region);

    /// <summary>Compiled code is forgotten.</summary>
    public void Remove(Region region) => _regions.Remove(region);

    /// <summary>Its instructions are not what they were: no compiled code that has them is executed any more.</summary>
    public void InvalidateRegions()
    {
        foreach (Region region in _regions.Take())
        {
            region.Invalidate();
        }
    }

    /// <summary>The linear addresses and pages that its bytes are in.</summary>
    public IEnumerable<(ulong Address, HostPage Page)> Pages()
    {
        ulong first = Rip & ~HostPage.OffsetMask;
        yield return (first, Page);
        if (SecondPage is { } second)
        {
            yield return (first + HostPage.Size, second);
        }
    }

    /// <summary>Whether the memory still holds what was decoded.</summary>
    public bool Matches()
    {
        if (IsFixed)
        {
            return true;
        }

        ReadOnlySpan<byte> first = Page.From(Rip);
        if (SecondPage is not { } second)
        {
            return first[..Bytes.Length].SequenceEqual(Bytes);
        }

        return first.SequenceEqual(Bytes.AsSpan(0, first.Length))
            && second.From(0)[..(Bytes.Length - first.Length)].SequenceEqual(Bytes.AsSpan(first.Length));
    }
}
