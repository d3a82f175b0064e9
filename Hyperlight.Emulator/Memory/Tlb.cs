using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// One translation. A tag is the page's linear address if that kind of access needs no further check. Compiled code knows
/// its size, <see cref="Tlb.EntryShift"/>.
/// </summary>
[StructLayout(LayoutKind.Explicit)]
internal struct TlbEntry
{
    public const int ReadTagOffset = 0;
    public const int WriteTagOffset = 8;
    public const int FetchTagOffset = 16;
    public const int PageOffset = 24;

    [FieldOffset(ReadTagOffset)]
    public ulong ReadTag;

    [FieldOffset(WriteTagOffset)]
    public ulong WriteTag;

    [FieldOffset(FetchTagOffset)]
    public ulong FetchTag;

    [FieldOffset(PageOffset)]
    public HostPage Page;
}

/// <summary>
/// A direct-mapped cache of translations to host pages, once for supervisor and once for user accesses: what a tag permits
/// depends on who asks, and to change between the two must cost no flush.
/// </summary>
internal sealed unsafe class Tlb
{
    /// <summary>How many translations there are for each kind of rights.</summary>
    public const int Count = 512;

    /// <summary>Bytes of as many.</summary>
    public const int Size = Count << EntryShift;

    public const int IndexMask = Count - 1;

    /// <summary>An entry has 1 &lt;&lt; 5 bytes.</summary>
    public const int EntryShift = 5;

    private readonly bool[][] _globals = [new bool[Count], []];
    private readonly TlbEntry* _supervisor;

    // Those of user accesses are not touched until there is one: most guests have none.
    private readonly TlbEntry* _user;
    private bool _hasUser;

    /// <summary>The translations in use: those of the rights that were selected last.</summary>
    private TlbEntry* _entries;
    private int _selected;
    private bool _hasLargePages;

    /// <param name="supervisor">Memory for <see cref="Count"/> translations, which the caller keeps for as long as this is used.</param>
    /// <param name="user">The same for user accesses.</param>
    public Tlb(TlbEntry* supervisor, TlbEntry* user)
    {
        _supervisor = _entries = supervisor;
        _user = user;
        FlushAll();
    }

    /// <summary>Whether the translations in use are those of user accesses.</summary>
    public bool IsUser => _selected != 0;

    /// <summary>How often more than the translation of a page was forgotten.</summary>
    public long Flushes { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TlbEntry Slot(ulong address) => ref _entries[Index(address)];

    public void SetGlobal(ulong address, bool isGlobal) => _globals[_selected][Index(address)] = isGlobal;

    /// <summary>Chooses the translations of user or of supervisor accesses.</summary>
    public void Select(bool user)
    {
        _selected = user ? 1 : 0;
        if (user && !_hasUser)
        {
            _globals[_selected] = new bool[Count];
            _hasUser = true;
            Clear(UserEntries);
        }

        _entries = user ? _user : _supervisor;
    }

    /// <summary>Remembers that a single page invalidation has to take other entries along.</summary>
    public void NoteLargePage() => _hasLargePages = true;

    public void FlushAll()
    {
        Flushes++;
        Clear(SupervisorEntries);
        Clear(UserEntries);
        foreach (bool[] globals in _globals)
        {
            Array.Clear(globals);
        }

        _hasLargePages = false;
    }

    /// <summary>What MOV to CR3 does.</summary>
    public void FlushNonGlobal()
    {
        Flushes++;
        for (int rights = 0; rights < _globals.Length; rights++)
        {
            for (int i = 0; i < _globals[rights].Length; i++)
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
        ForbidWrites(SupervisorEntries, page);
        ForbidWrites(UserEntries, page);
    }

    /// <summary>Makes the next write to any page take the slow path, because no page counts as written any more.</summary>
    public void ForgetWrites()
    {
        ForbidWrites(SupervisorEntries, null);
        ForbidWrites(UserEntries, null);
    }

    /// <summary>
    /// A tag that no address has which belongs into the slot of this one: not even in the bits that choose the slot does it
    /// agree with them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong InvalidFor(ulong address) => ~(address & (IndexMask << 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Index(ulong address) => (int)(address >> 12) & IndexMask;

    private Span<TlbEntry> SupervisorEntries => new(_supervisor, Count);

    private Span<TlbEntry> UserEntries => _hasUser ? new(_user, Count) : [];

    private static TlbEntry Empty(int index)
    {
        ulong invalid = InvalidFor((ulong)index << 12);
        return new TlbEntry { ReadTag = invalid, WriteTag = invalid, FetchTag = invalid };
    }

    private static void Clear(Span<TlbEntry> entries)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            entries[i] = Empty(i);
        }
    }

    /// <summary>Makes writes take the slow path: those to one page, or all.</summary>
    private static void ForbidWrites(Span<TlbEntry> entries, HostPage? page)
    {
        for (int i = 0; i < entries.Length; i++)
        {
            if (page is not { } only || entries[i].Page.Identity == only.Identity)
            {
                entries[i].WriteTag = InvalidFor((ulong)i << 12);
            }
        }
    }

    private void Clear(int rights, int index)
    {
        Span<TlbEntry> entries = rights == 0 ? SupervisorEntries : UserEntries;
        if (entries.Length > 0)
        {
            entries[index] = Empty(index);
            _globals[rights][index] = false;
        }
    }
}
