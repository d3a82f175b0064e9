using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// Predictions for emitted code: an access predicts that it is in the page in which it was last. Which entry of a <see cref="Tlb"/> has a
/// translation depends on the address, so that the access waits for its address, then for the entry; a prediction is in a place that the code
/// names. It is a copy of an entry, also of one that another page has replaced since: it is forgotten when the guest or the host changes
/// translations or rights, and not with the entry.
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

    /// <summary>Where it says how often each may still be changed.</summary>
    public const int CreditsOffset = Count * PredictionEntry.Size;

    public const int Size = CreditsOffset + (Count * sizeof(int));

    /// <summary>Between how many instructions of the guest each prediction gets its credit again.</summary>
    public const int InstructionsPerCredit = 1 << 21;

    /// <summary>The largest credit is two to the power of this. A loop over an array changes a prediction about as often in that time.</summary>
    private const byte MostCredit = 10;

    private readonly byte* _table;
    private readonly PredictionEntry _nothing;

    /// <summary>The credit that each got last, a power of two: what is often wrong gets less and less.</summary>
    private readonly byte[] _credits = new byte[Count];
    private bool _isUsed = true;
    private long _creditedAt;

    /// <param name="memory">Where the predictions are.</param>
    public PredictionTable(TranslationMemory memory)
    {
        _table = memory.Predictions;
        _nothing = new PredictionEntry(MakeTag(), (ulong)memory.UnusedPage);
        new Span<byte>(memory.UnusedPage, HostPage.Size).Clear();
        _credits.AsSpan().Fill(MostCredit);
        Credits.Fill(1 << MostCredit);
        Clear();
    }

    /// <summary>The predictions.</summary>
    public Span<PredictionEntry> Entries => new(_table, Count);

    /// <summary>How often each may still be changed: a prediction that is wrong takes longer than none, so that what has no credit stays.</summary>
    public Span<int> Credits => new(_table + CreditsOffset, Count);

    /// <summary>Emitted code is about to run, and to predict.</summary>
    /// <param name="executed">How many instructions the guest has executed.</param>
    public void Use(long executed)
    {
        _isUsed = true;
        if (executed - _creditedAt >= InstructionsPerCredit)
        {
            _creditedAt = executed;
            GiveCredit();
        }
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        if (_isUsed)
        {
            Entries.Fill(_nothing);
            _isUsed = false;
        }
    }

    /// <summary>Forgets those of a page.</summary>
    public void Clear(ulong address)
    {
        if (!_isUsed)
        {
            return;
        }

        ulong tag = address & ~HostPage.OffsetMask;
        Span<PredictionEntry> entries = Entries;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<PredictionEntry, ulong>(entries);
        const int WordsPerEntry = PredictionEntry.Size / sizeof(ulong);
        for (int at = 0; words[at..].IndexOf(tag) is var found and >= 0; at += found + 1)
        {
            // It can be the address of a page of the host.
            if ((at + found) % WordsPerEntry == 0)
            {
                entries[(at + found) / WordsPerEntry] = _nothing;
            }
        }
    }

    /// <summary>Forgets those for writes.</summary>
    public void ClearWrites()
    {
        if (_isUsed)
        {
            Entries[CountForReads..].Fill(_nothing);
        }
    }

    private void GiveCredit()
    {
        Span<int> credits = Credits;
        for (int i = 0; i < credits.Length; i++)
        {
            ref byte credit = ref _credits[i];
            credit = credits[i] < 0 ? (byte)Math.Max(0, credit - 1) : Math.Min((byte)(credit + 1), MostCredit);
            credits[i] = 1 << credit;
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
