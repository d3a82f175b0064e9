using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Decoding;

/// <summary>
/// Decoded blocks, and the pages they came from. A guest can begin a block at every byte of its code, so that blocks can take
/// far more memory than the code: their size is bounded.
/// </summary>
/// <param name="mostBytes">The largest size of the blocks in the host's memory.</param>
internal sealed class BlockCache(long mostBytes)
{
    /// <summary>For how many blocks the table of recent ones has places: most machines have few. Powers of two.</summary>
    private const int FewRecent = 256;
    private const int ManyRecent = 1024;

    /// <summary>Of how many pages it is remembered how often their code changed, when blocks are forgotten.</summary>
    private const int MostPages = 4096;

    /// <summary>Stays empty: what a machine that has not run has, which makes it smaller.</summary>
    private static readonly Block?[] NoRecent = new Block?[FewRecent];

    private readonly Dictionary<ulong, CodePage> _pages = [];
    private Block?[] _recent = NoRecent;

    /// <summary>How many were added since there is a machine, those that are gone again included.</summary>
    private long _count;

    /// <summary>The size of those that were added since blocks were last forgotten, those that are gone again included.</summary>
    private long _added;

    /// <summary>Changes whenever blocks are forgotten: while it stands still, the code that they have is that of the guest.</summary>
    public long Version { get; private set; }

    /// <summary>The size of the blocks in the host's memory.</summary>
    public long DecodedSize => Blocks.Sum(static block => (long)block.MemorySize);

    /// <summary>How many blocks the lists of pages have room for.</summary>
    public int RoomForBlocks => _pages.Values.Sum(static page => page.Room);

    /// <summary>How many pages it knows.</summary>
    public int PageCount => _pages.Count;

    /// <summary>The size of the compiled code that blocks have.</summary>
    public long CompiledSize =>
        Blocks.Select(static block => block.Region).OfType<Region>().Distinct().Sum(static region => (long)region.MemorySize);

    private IEnumerable<Block> Blocks => _pages.Values.SelectMany(static page => page.Blocks);

    /// <summary>Finds the block of a host address that was decoded for a linear address.</summary>
    public Block? Find(ulong key, ulong rip)
    {
        ref Block? recent = ref RecentOf(key);
        if (recent is { } hit && hit.Key == key && hit.Rip == rip)
        {
            return hit;
        }

        if (_pages.TryGetValue(key & ~HostPage.OffsetMask, out CodePage? page) && page.Find((int)(key & HostPage.OffsetMask)) is { } block
            && block.Rip == rip)
        {
            recent = block;
            return block;
        }

        return null;
    }

    /// <summary>Adds a block. If there are too many, those are forgotten that the run of the new one has not executed.</summary>
    public void Add(Block block)
    {
        if (_added + block.MemorySize > mostBytes)
        {
            ForgetOthers(block.VerifiedInRun);
        }

        Insert(block);
    }

    private void Insert(Block block)
    {
        MakeRoomForRecent();
        _added += block.MemorySize;
        CodePage page = PageOf(block.Page);
        if (page.Find(block.Offset) is { } replaced)
        {
            Drop(replaced);
        }

        RecentOf(block.Key) = block;
        int inFirst = Math.Min(block.Bytes.Length, HostPage.Size - block.Offset);
        page.Add(block, inFirst);
        if (block.SecondPage is { } second)
        {
            PageOf(second).AddCrossing(block, block.Bytes.Length - inFirst);
        }
    }

    /// <summary>Whether instructions were decoded from a page.</summary>
    public bool HasCode(HostPage page) => _pages.TryGetValue(page.Identity, out CodePage? code) && code.HasBlocks;

    /// <summary>Whether instructions may have been decoded from a part of a page.</summary>
    public bool HasCode(HostPage page, ulong address, int size) =>
        _pages.TryGetValue(page.Identity, out CodePage? code) && code.Covers((int)(address & HostPage.OffsetMask), size);

    /// <summary>How often instructions of a page were forgotten because they changed.</summary>
    public int Invalidations(HostPage page) => _pages.TryGetValue(page.Identity, out CodePage? code) ? code.Invalidations : 0;

    /// <summary>Forgets what was decoded from a page if bytes that are about to change are among it.</summary>
    /// <returns>Whether anything was forgotten.</returns>
    public bool Invalidate(HostPage page, ulong address, int size)
    {
        if (!HasCode(page, address, size))
        {
            return false;
        }

        Invalidate(page);
        return true;
    }

    /// <summary>Forgets what was decoded from a page.</summary>
    public void Invalidate(HostPage page)
    {
        if (_pages.TryGetValue(page.Identity, out CodePage? code))
        {
            code.Invalidations++;
            Forget(code);
        }
    }

    /// <summary>
    /// Forgets what was decoded from a range of host memory, and how often it changed: the host replaces it, so nothing of that says
    /// anything about what is there next.
    /// </summary>
    public void InvalidateRange(ulong hostAddress, ulong size)
    {
        foreach ((ulong page, CodePage code) in _pages)
        {
            if (page - hostAddress < size)
            {
                Forget(code);
                _pages.Remove(page);
            }
        }
    }

    /// <summary>Forgets the compiled code of blocks: they are interpreted until they are compiled again.</summary>
    public void ForgetRegions()
    {
        Version++;
        InvalidateRegions();
    }

    /// <summary>Forgets one of the regions.</summary>
    public void Forget(Region region)
    {
        Version++;
        region.Invalidate();
    }

    /// <summary>Blocks have other code now, and nothing is to lead to the former.</summary>
    public void NoteReplaced() => Version++;

    public void Clear()
    {
        InvalidateRegions();
        Version++;
        _added = 0;
        _pages.Clear();
        ForgetRecent();
    }

    /// <summary>Forgets what a run has not executed, and everything if half of the memory is not free then.</summary>
    private void ForgetOthers(long run)
    {
        Block[] used = [.. Blocks.Where(block => block.IsOfRun(run))];
        if (used.Sum(static block => (long)block.MemorySize) > mostBytes / 2)
        {
            Clear();
            return;
        }

        foreach (Block block in Blocks.Where(block => !block.IsOfRun(run)))
        {
            block.InvalidateRegions();
        }

        foreach ((ulong page, CodePage code) in _pages)
        {
            code.Clear();
            if (code.Invalidations == 0 || _pages.Count > MostPages)
            {
                _pages.Remove(page);
            }
        }

        Version++;
        _added = 0;
        ForgetRecent();
        Array.ForEach(used, Insert);
    }

    private void InvalidateRegions()
    {
        foreach ((_, CodePage page) in _pages)
        {
            page.InvalidateRegions();
        }
    }

    /// <summary>Makes the table of recent blocks, or a larger one: what is found again is put there.</summary>
    private void MakeRoomForRecent()
    {
        int wanted = _count++ < FewRecent ? FewRecent : ManyRecent;
        if (_recent.Length != wanted || ReferenceEquals(_recent, NoRecent))
        {
            _recent = new Block?[wanted];
        }
    }

    private void ForgetRecent()
    {
        if (!ReferenceEquals(_recent, NoRecent))
        {
            Array.Clear(_recent);
        }
    }

    private ref Block? RecentOf(ulong key) => ref _recent[(int)(key ^ (key >> 10)) & (_recent.Length - 1)];

    private CodePage PageOf(HostPage page)
    {
        if (!_pages.TryGetValue(page.Identity, out CodePage? code))
        {
            _pages.Add(page.Identity, code = new CodePage());
        }

        return code;
    }

    private void Forget(CodePage code)
    {
        foreach (Block block in code.Clear())
        {
            Drop(block);
        }
    }

    private void Drop(Block block)
    {
        Version++;
        block.InvalidateRegions();
        if (_pages.TryGetValue(block.Page.Identity, out CodePage? first))
        {
            first.Remove(block);
        }

        if (block.SecondPage is { } page && _pages.TryGetValue(page.Identity, out CodePage? second))
        {
            second.RemoveCrossing(block);
        }

        ref Block? recent = ref RecentOf(block.Key);
        if (ReferenceEquals(recent, block))
        {
            recent = null;
        }
    }
}
