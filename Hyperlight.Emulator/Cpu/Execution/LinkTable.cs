using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Where emitted code goes on when it leaves its region: a table of one machine from addresses of the guest to emitted code.
/// An address has its entry in one of a few places, which are beside each other. An entry is made when the processor enters a
/// block, after everything was checked, and is valid for as long as each of these checks would have the same result:
/// <see cref="Region.MayBeLinked"/> and <see cref="LinkStamp"/>. The table keeps the code that it leads to, and grows with the number of its entries.
/// </summary>
internal sealed unsafe class LinkTable(ProcessorMemory memory)
{
    /// <summary>Emitted code takes as many bits of a product, and masks those that a smaller table does not have.</summary>
    public const int MostIndexBits = 13;

    /// <summary>In how many places an address is looked for: place n is that of the first one with an index that differs by n.</summary>
    public const int Places = 4;

    /// <summary>Spreads addresses, of which few differ in their lowest bits.</summary>
    public const uint Multiplier = 0x9E37_79B1;

    private const int FewestIndexBits = 7;

    /// <summary>No address of code: it is not canonical.</summary>
    private const ulong NoAddress = 0x8000_0000_0000_0000;

    /// <summary>The regions that entries lead to, by <see cref="LinkEntry.Target"/>.</summary>
    private readonly List<Region> _targets = [];

    private LinkEntry* _entries;
    private int _size;
    private int _count;
    private LinkStamp _stamp;

    /// <summary>The number of forgotten blocks, and the run, for which the regions were found to be what they were.</summary>
    private long _version;
    private long _run;
    private bool _mayChange;

    /// <summary>The memory of the table, which emitted code reads.</summary>
    public LinkEntry* Entries => _entries;

    /// <summary>The bits of an entry's offset.</summary>
    public uint Mask => (uint)(_size - 1) << LinkEntry.Shift;

    /// <summary>Forgets the entries for which something may have changed since they were made.</summary>
    /// <param name="stamp">The present state of what all of them depend on.</param>
    /// <param name="places">The pages that their code relies on.</param>
    /// <param name="version">The present number of forgotten blocks: <see cref="Decoding.BlockCache.Version"/>.</param>
    /// <param name="run">The present run: the host may have changed the guest's code before it.</param>
    public void Refresh(LinkStamp stamp, CodePlaces places, long version, long run)
    {
        if (stamp != _stamp)
        {
            Clear();
            _stamp = stamp;
        }
        else if (places.HasLost || version != _version || (run != _run && _mayChange))
        {
            RemoveLost(run);
        }

        places.SettleLost();
        _version = version;
        _run = run;
    }

    /// <summary>Notes that a block of code may be entered from now on.</summary>
    /// <param name="rip">The address of the block.</param>
    /// <param name="region">Its region.</param>
    /// <param name="code">The region's code.</param>
    /// <param name="entry">Which of its blocks it is.</param>
    public void Add(ulong rip, Region region, EmittedCode code, int entry)
    {
        if (_entries is null)
        {
            Allocate(1 << FewestIndexBits);
        }

        int index = PlaceOf(rip);
        if (_entries[index].Rip != rip && _entries[index].Rip != NoAddress && _count > _size / 2 && _size < 1 << MostIndexBits)
        {
            Grow();
            index = PlaceOf(rip);
        }

        if (region.Target == Region.NoTarget)
        {
            region.Target = _targets.Count;
            _targets.Add(region);
            _mayChange |= !region.IsFixed;
        }

        Put(index, new LinkEntry { Rip = rip, Region = code.LinkedEntry, Block = code.EntryOf(entry), Target = region.Target });
    }

    /// <summary>The region that an entry leads to.</summary>
    public Region RegionOf(LinkEntry* entry) => _targets[entry->Target];

    /// <summary>Forgets the entries. Code that runs must be kept by the caller.</summary>
    public void Clear()
    {
        foreach (Region region in _targets)
        {
            region.Target = Region.NoTarget;
        }

        _targets.Clear();
        _mayChange = false;
        if (_count != 0)
        {
            MakeEmpty();
        }
    }

    /// <summary>Gives the memory back as well. No emitted code is running.</summary>
    public void Free()
    {
        Clear();
        if (_entries is not null)
        {
            memory.FreeLinks(_entries);
            _entries = null;
            _size = 0;
        }

        _targets.TrimExcess();
    }

    /// <summary>The place where an address has its entry; or a free one; or one that is to be replaced.</summary>
    private int PlaceOf(ulong rip)
    {
        int first = IndexOf(rip);
        int? free = null;
        for (int i = 0; i < Places; i++)
        {
            ulong its = _entries[first ^ i].Rip;
            if (its == rip)
            {
                return first ^ i;
            }

            if (its == NoAddress)
            {
                free ??= first ^ i;
            }
        }

        return free ?? first;
    }

    /// <summary>Where an address is looked for first.</summary>
    private int IndexOf(ulong rip) => (int)((uint)rip * Multiplier >> (32 - MostIndexBits)) & (_size - 1);

    private void Put(int index, LinkEntry link)
    {
        _count += _entries[index].Rip == NoAddress ? 1 : 0;
        _entries[index] = link;
    }

    private void Allocate(int size)
    {
        _entries = memory.AllocateLinks(size);
        _size = size;
        MakeEmpty();
    }

    private void MakeEmpty()
    {
        new Span<LinkEntry>(_entries, _size).Fill(new LinkEntry { Rip = NoAddress });
        _count = 0;
    }

    private void Grow()
    {
        LinkEntry* former = _entries;
        int size = _size;
        Allocate(2 * size);
        for (int i = 0; i < size; i++)
        {
            if (former[i].Rip != NoAddress)
            {
                Put(PlaceOf(former[i].Rip), former[i]);
            }
        }

        memory.FreeLinks(former);
    }

    /// <summary>Forgets the entries of regions to which none may lead any more.</summary>
    private void RemoveLost(long run)
    {
        int kept = 0;
        _mayChange = false;
        foreach (Region region in _targets)
        {
            region.Target = region.MayBeLinked(run) ? kept++ : Region.NoTarget;
            _mayChange |= !region.IsFixed && region.Target != Region.NoTarget;
        }

        if (kept == _targets.Count)
        {
            return;
        }

        for (int i = 0; i < _size; i++)
        {
            ref LinkEntry entry = ref _entries[i];
            if (entry.Rip != NoAddress)
            {
                entry.Target = _targets[entry.Target].Target;
                if (entry.Target == Region.NoTarget)
                {
                    entry.Rip = NoAddress;
                    _count--;
                }
            }
        }

        _targets.RemoveAll(static region => region.Target == Region.NoTarget);
    }
}
