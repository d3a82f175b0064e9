namespace Hyperlight.Emulator.Decoding;

/// <summary>
/// The blocks of a page, by where they begin; and which parts of the page were decoded, so that a write to data beside code costs no code.
/// </summary>
internal sealed class CodePage
{
    private const int FewestLists = 4;

    /// <summary>A bit stands for 64 bytes.</summary>
    private const int GrainShift = 6;

    /// <summary>Lists of blocks, by <see cref="Block.Next"/>: a power of two of them, and no fewer than half of the blocks.</summary>
    private Block?[] _lists = [];
    private int _count;
    private HashSet<Block>? _crossing;
    private ulong _grains;

    /// <summary>The blocks that begin in the page.</summary>
    public IEnumerable<Block> Blocks
    {
        get
        {
            foreach (Block? first in _lists)
            {
                for (Block? block = first; block is not null; block = block.Next)
                {
                    yield return block;
                }
            }
        }
    }

    /// <summary>How many blocks it has room for.</summary>
    public int Room => _lists.Length + (_crossing?.Capacity ?? 0);

    /// <summary>Whether blocks have bytes of the page.</summary>
    public bool HasBlocks => _count != 0 || _crossing is not null;

    /// <summary>How often instructions of the page were forgotten: code that keeps changing is not worth compiling.</summary>
    public int Invalidations { get; set; }

    /// <summary>The block that begins at an offset.</summary>
    public Block? Find(int offset)
    {
        Block? block = _lists.Length == 0 ? null : ListOf(offset);
        while (block is not null && block.Offset != offset)
        {
            block = block.Next;
        }

        return block;
    }

    /// <summary>Adds a block that begins in the page, where no other one does.</summary>
    public void Add(Block block, int length)
    {
        if (_count == 2 * _lists.Length)
        {
            Grow();
        }

        Insert(block);
        _count++;
        _grains |= Mask(block.Offset, length);
    }

    /// <summary>Adds a block that begins in another page.</summary>
    public void AddCrossing(Block block, int length)
    {
        (_crossing ??= []).Add(block);
        _grains |= Mask(0, length);
    }

    public bool Covers(int first, int length) => (_grains & Mask(first, length)) != 0;

    /// <summary>Removes a block that begins in the page.</summary>
    public void Remove(Block block)
    {
        if (!ReferenceEquals(Find(block.Offset), block))
        {
            return;
        }

        ref Block? list = ref ListOf(block.Offset);
        if (ReferenceEquals(list, block))
        {
            list = block.Next;
        }
        else
        {
            Block before = list!;
            while (!ReferenceEquals(before.Next, block))
            {
                before = before.Next!;
            }

            before.Next = block.Next;
        }

        _count--;
        ForgetIfEmpty();
    }

    /// <summary>Removes a block that begins in another page.</summary>
    public void RemoveCrossing(Block block)
    {
        if (_crossing is { } crossing && crossing.Remove(block) && crossing.Count == 0)
        {
            _crossing = null;
            ForgetIfEmpty();
        }
    }

    /// <summary>Forgets the compiled code of its blocks, which stay.</summary>
    public void InvalidateRegions()
    {
        foreach (Block? first in _lists)
        {
            for (Block? block = first; block is not null; block = block.Next)
            {
                block.InvalidateRegions();
            }
        }
    }

    /// <summary>Takes all blocks away, and the room for them.</summary>
    /// <returns>Those that there were.</returns>
    public Block[] Clear()
    {
        Block[] blocks = [.. Blocks, .. _crossing ?? []];
        (_lists, _count, _crossing, _grains) = ([], 0, null, 0);
        return blocks;
    }

    private void ForgetIfEmpty()
    {
        if (!HasBlocks)
        {
            Clear();
        }
    }

    private void Grow()
    {
        Block?[] former = _lists;
        _lists = new Block?[Math.Max(FewestLists, 2 * former.Length)];
        foreach (Block? first in former)
        {
            for (Block? block = first, next; block is not null; block = next)
            {
                next = block.Next;
                Insert(block);
            }
        }
    }

    private void Insert(Block block)
    {
        ref Block? list = ref ListOf(block.Offset);
        block.Next = list;
        list = block;
    }

    /// <summary>The list of an offset. As the lists share the offsets equally, none has more than 90 blocks, wherever a guest lets them begin.</summary>
    private ref Block? ListOf(int offset) => ref _lists[(offset ^ (offset >> GrainShift)) & (_lists.Length - 1)];

    private static ulong Mask(int first, int length)
    {
        int low = first >> GrainShift;
        int high = (first + length - 1) >> GrainShift;
        return (ulong.MaxValue << low) & (ulong.MaxValue >> (63 - high));
    }
}
