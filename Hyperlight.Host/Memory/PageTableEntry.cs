using Hyperlight.Abstractions;

namespace Hyperlight.Host.Memory;

/// <summary>The page-table entries of the guest ABI.</summary>
internal static class PageTableEntry
{
    public const ulong Present = 1UL << 0;
    public const ulong Writable = 1UL << 1;

    /// <summary>Code at CPL 3 has access, if each entry on the way has the bit.</summary>
    public const ulong User = 1UL << 2;

    public const ulong Accessed = 1UL << 5;
    public const ulong Dirty = 1UL << 6;

    /// <summary>In an entry of a table above the lowest: it is a leaf.</summary>
    public const ulong LargePage = 1UL << 7;

    public const ulong NoExecute = 1UL << 63;

    /// <summary>The software bit that marks a read-only page which the guest copies when it first writes it.</summary>
    public const ulong CopyOnWrite = 1UL << 9;

    public const ulong AddressMask = 0x000F_FFFF_FFFF_F000;

    /// <summary>A pointer to a lower table.</summary>
    public const ulong Table = Present | Writable | Accessed;

    // Accessed and dirty are set from the start, so that the processor never has to write an entry.
    private const ulong Leaf = Present | Accessed | Dirty;

    /// <summary>The attributes of a page of the image: what the guest may write becomes copy-on-write.</summary>
    public static ulong ImageLeaf(MemoryFlags flags) =>
        Leaf
        | (flags.HasFlag(MemoryFlags.Write) ? CopyOnWrite : 0)
        | (flags.HasFlag(MemoryFlags.Execute) ? 0 : NoExecute);

    /// <summary>The attributes of a page of scratch memory.</summary>
    public const ulong ScratchLeaf = Leaf | Writable | NoExecute;
}
