namespace Hyperlight.Host.Memory;

/// <summary>The four levels of page tables of 64-bit mode.</summary>
internal static class PageTableGeometry
{
    /// <summary>Entries of a table, of each level.</summary>
    public const int EntriesPerTable = 1 << IndexBits;

    /// <summary>The level of the root table; that of the lowest tables is 0.</summary>
    public const int RootLevel = 3;

    private const int PageBits = 12;
    private const int IndexBits = 9;

    /// <summary>The lowest bit of a virtual address that is part of the index into a table.</summary>
    public static int Shift(int level) => PageBits + (IndexBits * level);

    /// <summary>The index of a virtual address into a table.</summary>
    public static int Index(ulong virtualAddress, int level) => (int)(virtualAddress >> Shift(level)) & (EntriesPerTable - 1);
}
