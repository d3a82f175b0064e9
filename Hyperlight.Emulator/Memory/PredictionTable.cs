using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// Predictions of translations for emitted code: an access predicts that it uses the page that it used last. The entries of a
/// <see cref="Tlb"/> have to be chosen by the address, so that the access has to wait for the address twice; a prediction has a place that
/// the code knows. A prediction is a copy of an entry that the code compared, and is forgotten with it.
/// </summary>
/// <remarks>
/// What predicts nothing has a tag that no guest knows, of an address that is not canonical, and the address of a page that nothing else
/// uses: whatever the guest's address is, an access that the tag permits stays within memory that is meant for it.
/// </remarks>
internal sealed unsafe class PredictionTable
{
    /// <summary>How many predictions there are for reads, and for writes.</summary>
    public const int CountForReads = 4096;

    /// <summary>How many there are in all: those for writes are behind those for reads.</summary>
    public const int Count = 2 * CountForReads;

    public const int TagsOffset = 0;
    public const int PagesOffset = TagsOffset + (Count * sizeof(ulong));
    public const int Size = PagesOffset + (Count * sizeof(ulong));

    private readonly byte* _table;
    private readonly ulong _noTag = MakeTag();
    private readonly ulong _noPage;
    private bool _isUsed;

    /// <param name="table">Memory of <see cref="Size"/>, which the caller keeps for as long as this is used.</param>
    /// <param name="page">A page that is used for nothing else.</param>
    public PredictionTable(byte* table, byte* page)
    {
        _table = table;
        _noPage = (ulong)page;
        _isUsed = true;
        Clear();
    }

    private Span<ulong> Tags => new(_table + TagsOffset, Count);

    private Span<ulong> Pages => new(_table + PagesOffset, Count);

    /// <summary>Emitted code is about to run.</summary>
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
        return ((random & (ulong.MaxValue >> 2)) | (1UL << 62)) & ~(ulong)HostPage.OffsetMask;
    }
}
