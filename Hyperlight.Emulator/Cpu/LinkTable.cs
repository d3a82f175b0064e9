using System.Runtime.InteropServices;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Compilation.X64;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// Where emitted code goes on when it leaves its region: a table of one machine from addresses of the guest to emitted code.
/// An address has its entry in either of two places, which are beside each other. An entry is made when the processor enters a
/// block, after everything was checked, and is valid for as long as each of these checks would have the same result: the pages of
/// its region are in their places, and <see cref="LinkStamp"/>. It keeps the code that it leads to. The table grows with the number of its entries.
/// </summary>
internal sealed unsafe class LinkTable(ProcessorMemory memory)
{
    /// <summary>Emitted code takes as many bits of a product, and masks those that a smaller table does not have.</summary>
    public const int MostIndexBits = 14;

    /// <summary>Spreads addresses, of which few differ in their lowest bits.</summary>
    public const uint Multiplier = 0x9E37_79B1;

    private const int FewestIndexBits = 9;

    /// <summary>No address of code: it is not canonical.</summary>
    private const ulong NoAddress = 0x8000_0000_0000_0000;

    private readonly Dictionary<long, Target> _targets = [];
    private readonly List<int> _used = [];
    private Region?[] _regions = [];
    private LinkEntry* _entries;
    private LinkStamp _stamp;
    private bool _mayChange;

    /// <summary>The memory of the table, which emitted code reads.</summary>
    public LinkEntry* Entries => _entries;

    /// <summary>The bits of an entry's offset.</summary>
    public uint Mask => (uint)(_regions.Length - 1) << LinkEntry.Shift;

    /// <summary>Forgets the entries if anything may have changed since they were made.</summary>
    /// <param name="stamp">The present state of what they depend on.</param>
    /// <param name="places">The pages that their code relies on.</param>
    public void Refresh(LinkStamp stamp, CodePlaces places)
    {
        if (!_mayChange)
        {
            stamp = stamp with { Run = 0 };
        }

        if (stamp != _stamp)
        {
            Clear();
            _stamp = stamp with { Run = 0 };
        }
        else if (places.HasLost)
        {
            RemoveLost();
        }

        places.SettleLost();
    }

    /// <summary>Notes that a block of code may be entered from now on.</summary>
    /// <param name="rip">The address of the block.</param>
    /// <param name="region">Its region.</param>
    /// <param name="code">The region's code.</param>
    /// <param name="entry">Which of its blocks it is.</param>
    /// <param name="run">The present run, if the host may change the guest's code before the next one; otherwise 0.</param>
    public void Add(ulong rip, Region region, EmittedCode code, int entry, long run)
    {
        if (run != 0)
        {
            _mayChange = true;
            _stamp = _stamp with { Run = run };
        }

        if (_entries is null)
        {
            Allocate(FewestIndexBits);
        }

        int index = PlaceOf(rip);
        var link = new LinkEntry { Rip = rip, Region = code.LinkedEntry, Block = code.EntryOf(entry) };
        if (_entries[index].Rip == rip)
        {
            if (ReferenceEquals(_regions[index], region) && _entries[index].Block == link.Block)
            {
                return;
            }
        }
        else if (_regions[index] is not null && _used.Count > _regions.Length / 4 && _regions.Length < 1 << MostIndexBits)
        {
            Grow();
            index = PlaceOf(rip);
        }

        Put(index, link, region, code);
    }

    /// <summary>The code that an entry has led to.</summary>
    public EmittedCode Find(long id) => _targets[id].Code;

    /// <summary>Forgets the entries. Code that runs must be kept by the caller.</summary>
    public void Clear()
    {
        foreach (int index in _used)
        {
            _entries[index].Rip = NoAddress;
            _regions[index] = null;
        }

        _used.Clear();
        _targets.Clear();
        _mayChange = false;
    }

    /// <summary>Gives the memory back as well. No emitted code is running.</summary>
    public void Free()
    {
        Clear();
        if (_entries is not null)
        {
            memory.FreeLinks(_entries);
            _entries = null;
            _regions = [];
        }
    }

    /// <summary>The place where an address has its entry; or a free one; or one that is to be replaced.</summary>
    private int PlaceOf(ulong rip)
    {
        int first = IndexOf(rip);
        int second = first ^ 1;
        return _entries[second].Rip == rip || (_entries[first].Rip != rip && _regions[first] is not null && _regions[second] is null)
            ? second
            : first;
    }

    /// <summary>Where an address is looked for first.</summary>
    private int IndexOf(ulong rip) => (int)((uint)rip * Multiplier >> (32 - MostIndexBits)) & (_regions.Length - 1);

    private void Put(int index, LinkEntry link, Region region, EmittedCode code)
    {
        if (_regions[index] is { } former)
        {
            Release((EmittedCode)former.Code);
        }
        else
        {
            _used.Add(index);
        }

        ref Target target = ref CollectionsMarshal.GetValueRefOrAddDefault(_targets, code.Id, out _);
        target = new Target(code, target.Entries + 1);
        _regions[index] = region;
        _entries[index] = link;
    }

    private void Allocate(int bits)
    {
        // Both or none, if there is no memory.
        int count = 1 << bits;
        var regions = new Region?[count];
        _entries = memory.AllocateLinks(count);
        _regions = regions;
        new Span<LinkEntry>(_entries, count).Fill(new LinkEntry { Rip = NoAddress });
    }

    private void Grow()
    {
        LinkEntry* entries = _entries;
        Region?[] regions = _regions;
        int[] used = [.. _used];
        Allocate(int.Log2(regions.Length) + 1);
        _used.Clear();
        _targets.Clear();
        foreach (int index in used)
        {
            Put(PlaceOf(entries[index].Rip), entries[index], regions[index]!, (EmittedCode)regions[index]!.Code);
        }

        memory.FreeLinks(entries);
    }

    /// <summary>Forgets the entries of regions that are not in their places.</summary>
    private void RemoveLost()
    {
        int kept = 0;
        for (int i = 0; i < _used.Count; i++)
        {
            int index = _used[i];
            Region region = _regions[index]!;
            if (region.IsInPlace)
            {
                _used[kept++] = index;
                continue;
            }

            Release((EmittedCode)region.Code);
            _entries[index].Rip = NoAddress;
            _regions[index] = null;
        }

        _used.RemoveRange(kept, _used.Count - kept);
    }

    private void Release(EmittedCode code)
    {
        ref Target target = ref CollectionsMarshal.GetValueRefOrNullRef(_targets, code.Id);
        if (target.Entries == 1)
        {
            _targets.Remove(code.Id);
        }
        else
        {
            target = target with { Entries = target.Entries - 1 };
        }
    }

    /// <summary>Code, and how many entries lead to it.</summary>
    private readonly record struct Target(EmittedCode Code, int Entries);
}
