using System.Runtime.CompilerServices;

namespace Hyperlight.Emulator.Memory;

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

    private readonly TlbTable _supervisor;

    // Those of user accesses are not touched until there is one: most guests have none.
    private readonly TranslationMemory _userMemory;
    private TlbTable? _user;

    /// <summary>The translations in use: those of the rights that were selected last.</summary>
    private TlbTable _selected;
    private TlbEntry* _entries;
    private bool _hasLargePages;

    /// <param name="supervisor">Memory for the translations of supervisor accesses.</param>
    /// <param name="user">Memory for those of user accesses.</param>
    public Tlb(TranslationMemory supervisor, TranslationMemory user)
    {
        _selected = _supervisor = new TlbTable(supervisor);
        _entries = supervisor.Entries;
        _userMemory = user;
    }

    /// <summary>Whether the translations in use are those of user accesses.</summary>
    public bool IsUser => !ReferenceEquals(_selected, _supervisor);

    /// <summary>How often more than the translation of a page was forgotten.</summary>
    public long Flushes { get; private set; }

    /// <summary>What emitted code of the selected rights predicts.</summary>
    public PredictionTable Predictions => _selected.Predictions;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TlbEntry Slot(ulong address) => ref _entries[Index(address)];

    /// <summary>The slot of an address, to be filled.</summary>
    /// <param name="address">The linear address.</param>
    /// <param name="isGlobal">Whether the translation lasts when CR3 is loaded.</param>
    public ref TlbEntry SlotToFill(ulong address, bool isGlobal)
    {
        _selected.Use(address, Index(address), isGlobal);
        return ref Slot(address);
    }

    /// <summary>Chooses the translations of user or of supervisor accesses.</summary>
    public void Select(bool user)
    {
        _selected = user ? _user ??= new TlbTable(_userMemory) : _supervisor;
        _entries = _selected.Entries;
    }

    /// <summary>Remembers that a single page invalidation has to take other entries along.</summary>
    public void NoteLargePage() => _hasLargePages = true;

    public void FlushAll()
    {
        Flushes++;
        _supervisor.Clear();
        _user?.Clear();
        _hasLargePages = false;
    }

    /// <summary>What MOV to CR3 does.</summary>
    public void FlushNonGlobal()
    {
        Flushes++;
        _supervisor.ClearNonGlobal();
        _user?.ClearNonGlobal();
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
            _supervisor.Clear(address, Index(address));
            _user?.Clear(address, Index(address));
        }
    }

    /// <summary>Makes writes to a host page take the slow path, because instructions were decoded from it.</summary>
    public void ProtectFromWrites(HostPage page)
    {
        _supervisor.ForbidWrites(page);
        _user?.ForbidWrites(page);
    }

    /// <summary>Makes the next write to any page take the slow path, because no page counts as written any more.</summary>
    public void ForgetWrites()
    {
        _supervisor.ForbidWrites(null);
        _user?.ForbidWrites(null);
    }

    /// <summary>
    /// A tag that no address has which belongs into the slot of this one: not even in the bits that choose the slot does it
    /// agree with them.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong InvalidFor(ulong address) => ~(address & (IndexMask << 12));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Index(ulong address) => (int)(address >> 12) & IndexMask;
}
