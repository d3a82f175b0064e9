using System.Runtime.CompilerServices;

namespace Hyperlight.Emulator.Memory;

/// <summary>One translation. A tag is the page's linear address if that kind of access needs no further check.</summary>
internal struct TlbEntry
{
    public ulong ReadTag;
    public ulong WriteTag;
    public ulong FetchTag;
    public HostPage Page;
    public bool IsGlobal;
}

/// <summary>A direct-mapped cache of translations to host pages.</summary>
internal sealed class Tlb
{
    /// <summary>A tag that equals no page address.</summary>
    public const ulong Invalid = ulong.MaxValue;

    private const int Entries = 512;

    private readonly TlbEntry[] _entries = new TlbEntry[Entries];
    private bool _hasLargePages;

    public Tlb() => FlushAll();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TlbEntry Slot(ulong address) => ref _entries[(int)(address >> 12) & (Entries - 1)];

    /// <summary>Remembers that a single page invalidation has to take other entries along.</summary>
    public void NoteLargePage() => _hasLargePages = true;

    public void FlushAll()
    {
        foreach (ref TlbEntry entry in _entries.AsSpan())
        {
            Clear(ref entry);
        }

        _hasLargePages = false;
    }

    /// <summary>What MOV to CR3 does.</summary>
    public void FlushNonGlobal()
    {
        foreach (ref TlbEntry entry in _entries.AsSpan())
        {
            if (!entry.IsGlobal)
            {
                Clear(ref entry);
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
            Clear(ref Slot(address));
        }
    }

    /// <summary>Makes writes to a host page take the slow path, because instructions were decoded from it.</summary>
    public void ProtectFromWrites(HostPage page)
    {
        foreach (ref TlbEntry entry in _entries.AsSpan())
        {
            if (entry.Page.Identity == page.Identity)
            {
                entry.WriteTag = Invalid;
            }
        }
    }

    private static void Clear(ref TlbEntry entry)
    {
        entry.ReadTag = Invalid;
        entry.WriteTag = Invalid;
        entry.FetchTag = Invalid;
        entry.IsGlobal = false;
    }
}
