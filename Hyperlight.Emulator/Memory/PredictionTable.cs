using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// Predictions for emitted code: an access predicts that it is in the page in which it was last. Which entry of a <see cref="Tlb"/> has a
/// translation depends on the address, so that the access waits for its address, then for the entry; a prediction is in a place that the code
/// names. It is a copy of an entry, and is forgotten with any entry.
/// </summary>
/// <remarks>
/// To an address in another page than the predicted one, all bits above the page's size count: whatever the tag is, 4,096 addresses agree with it. A
/// prediction of nothing has the tag of addresses that are not canonical, which guests do not know. If one used such an address all the same,
/// it would reach a page that the machine has for this purpose, and nothing else.
/// </remarks>
internal sealed unsafe class PredictionTable
{
    /// <summary>How many predictions there are for reads.</summary>
    public const int CountForReads = 512;

    /// <summary>How many there are in all: those for writes are behind those for reads, and as many.</summary>
    public const int Count = 2 * CountForReads;

    /// <summary>Where the addresses of the guest's pages are, and those of the host's.</summary>
    public const int TagsOffset = 0;
    public const int PagesOffset = TagsOffset + (Count * sizeof(ulong));

    public const int Size = PagesOffset + (Count * sizeof(ulong));

    private static readonly ulong _noTag = MakeTag();

    private readonly byte* _table;
    private readonly ulong _noPage;
    private bool _isUsed = true;

    /// <param name="memory">Where the predictions are.</param>
    public PredictionTable(TranslationMemory memory)
    {
        _table = memory.Predictions;
        _noPage = (ulong)memory.UnusedPage;
        Clear();
    }

    /// <summary>The addresses of the guest's pages.</summary>
    public Span<ulong> Tags => new(_table + TagsOffset, Count);

    /// <summary>The addresses of the host's pages.</summary>
    public Span<ulong> Pages => new(_table + PagesOffset, Count);

    /// <summary>Emitted code is about to run, and to predict.</summary>
    public void Use() => _isUsed = true;

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        if (_isUsed)
        {
            Tags.Fill(_noTag);
            Pages.Fill(_noPage);
            _isUsed = false;
        }
    }

    /// <summary>Forgets those for writes.</summary>
    public void ClearWrites()
    {
        if (_isUsed)
        {
            Tags[CountForReads..].Fill(_noTag);
            Pages[CountForReads..].Fill(_noPage);
        }
    }

    private static ulong MakeTag()
    {
        ulong random = 0;
        RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(new Span<ulong>(ref random)));

        // The highest bits of a canonical address are the same.
        return ((random >> 2) | (1UL << 62)) & ~HostPage.OffsetMask;
    }
}
