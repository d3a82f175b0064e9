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

/// <summary>A direct-mapped cache of translations to host pages.</summary>
internal sealed class Tlb
{
    /// <summary>A tag that equals no page address.</summary>
    public const ulong Invalid = ulong.MaxValue;

    public const int IndexMask = Count - 1;

    /// <summary>An entry has 1 &lt;&lt; 5 bytes.</summary>
    public const int EntryShift = 5;

    private const int Count = 512;

    private readonly TlbEntry[] _entries = new TlbEntry[Count];
    private readonly bool[] _isGlobal = new bool[Count];
    private bool _hasLargePages;

    public Tlb() => FlushAll();

    /// <summary>Counts the times that translations were forgotten: while it stands still, those that were seen hold.</summary>
    public long Epoch { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref TlbEntry Slot(ulong address) => ref _entries[Index(address)];

    public void SetGlobal(ulong address, bool isGlobal) => _isGlobal[Index(address)] = isGlobal;

    /// <summary>Remembers that a single page invalidation has to take other entries along.</summary>
    public void NoteLargePage() => _hasLargePages = true;

    public void FlushAll()
    {
        Epoch++;
        for (int i = 0; i < Count; i++)
        {
            Clear(i);
        }

        _hasLargePages = false;
    }

    /// <summary>What MOV to CR3 does.</summary>
    public void FlushNonGlobal()
    {
        Epoch++;
        for (int i = 0; i < Count; i++)
        {
            if (!_isGlobal[i])
            {
                Clear(i);
            }
        }
    }

    /// <summary>What INVLPG does.</summary>
    public void FlushPage(ulong address)
    {
        Epoch++;
        if (_hasLargePages)
        {
            FlushAll();
        }
        else
        {
            Clear(Index(address));
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Index(ulong address) => (int)(address >> 12) & IndexMask;

    private void Clear(int index)
    {
        ref TlbEntry entry = ref _entries[index];
        entry.ReadTag = Invalid;
        entry.WriteTag = Invalid;
        entry.FetchTag = Invalid;
        _isGlobal[index] = false;
    }
}
