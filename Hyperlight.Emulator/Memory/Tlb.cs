using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// One translation. A tag is the page's linear address if that kind of access needs no further check. Compiled code knows
/// its size, <see cref="Tlb.EntryShift"/>.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TlbEntry
{
    public ulong ReadTag;
    public ulong WriteTag;
    public ulong FetchTag;
    public HostPage Page;
}

/// <summary>
/// A direct-mapped cache of translations to host pages, once for supervisor and once for user accesses: what a tag permits
/// depends on who asks, and to change between the two must cost no flush.
/// </summary>
internal sealed class Tlb
{
    /// <summary>A tag that equals no page address.</summary>
    public const ulong Invalid = ulong.MaxValue;

    public const int IndexMask = Count - 1;

    /// <summary>An entry has 1 &lt;&lt; 5 bytes.</summary>
    public const int EntryShift = 5;

    private const int Count = 512;

    private static readonly TlbEntry Empty = new() { ReadTag = Invalid, WriteTag = Invalid, FetchTag = Invalid };

    // Those of user accesses are empty until there is one: most guests have none.
    private readonly TlbEntry[][] _rights = [new TlbEntry[Count], []];
    private readonly bool[][] _globals = [new bool[Count], []];

    /// <summary>The translations in use: those of the rights that were selected last.</summary>
    private TlbEntry[] _entries;
    private long _epoch;
    private int _selected;
    private bool _hasLargePages;

    public Tlb()
    {
        _entries = _rights[0];
        FlushAll();
    }

    /// <summary>
    /// Changes whenever translations are forgotten or others are selected: while it stands still, those that were seen hold.
    /// </summary>
    public long Epoch => (_epoch << 1) | (long)_selected;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TlbEntry Slot(ulong address) => ref _entries[Index(address)];

    public void SetGlobal(ulong address, bool isGlobal) => _globals[_selected][Index(address)] = isGlobal;

    /// <summary>Chooses the translations of user or of supervisor accesses.</summary>
    public void Select(bool user)
    {
        _selected = user ? 1 : 0;
        if (_rights[_selected].Length == 0)
        {
            _rights[_selected] = new TlbEntry[Count];
            _globals[_selected] = new bool[Count];
            Array.Fill(_rights[_selected], Empty);
        }

        _entries = _rights[_selected];
    }

    /// <summary>Remembers that a single page invalidation has to take other entries along.</summary>
    public void NoteLargePage() => _hasLargePages = true;

    public void FlushAll()
    {
        _epoch++;
        foreach (TlbEntry[] entries in _rights)
        {
            Array.Fill(entries, Empty);
        }

        foreach (bool[] globals in _globals)
        {
            Array.Clear(globals);
        }

        _hasLargePages = false;
    }

    /// <summary>What MOV to CR3 does.</summary>
    public void FlushNonGlobal()
    {
        _epoch++;
        for (int rights = 0; rights < _rights.Length; rights++)
        {
            for (int i = 0; i < _rights[rights].Length; i++)
            {
                if (!_globals[rights][i])
                {
                    Clear(rights, i);
                }
            }
        }
    }

    /// <summary>What INVLPG does.</summary>
    public void FlushPage(ulong address)
    {
        _epoch++;
        if (_hasLargePages)
        {
            FlushAll();
        }
        else
        {
            Clear(0, Index(address));
            Clear(1, Index(address));
        }
    }

    /// <summary>Makes writes to a host page take the slow path, because instructions were decoded from it.</summary>
    public void ProtectFromWrites(HostPage page)
    {
        foreach (TlbEntry[] entries in _rights)
        {
            foreach (ref TlbEntry entry in entries.AsSpan())
            {
                if (entry.Page.Identity == page.Identity)
                {
                    entry.WriteTag = Invalid;
                }
            }
        }
    }

    /// <summary>Makes the next write to any page take the slow path, because no page counts as written any more.</summary>
    public void ForgetWrites()
    {
        foreach (TlbEntry[] entries in _rights)
        {
            foreach (ref TlbEntry entry in entries.AsSpan())
            {
                entry.WriteTag = Invalid;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Index(ulong address) => (int)(address >> 12) & IndexMask;

    private void Clear(int rights, int index)
    {
        if (_rights[rights].Length > 0)
        {
            _rights[rights][index] = Empty;
            _globals[rights][index] = false;
        }
    }
}
