using System.Numerics;

namespace Hyperlight.Emulator.Memory;

/// <summary>
/// The translations of a <see cref="Tlb"/> for one kind of rights. It knows which entries are in use, as few are when they are forgotten: by
/// each restore of a sandbox, and by each call.
/// </summary>
internal sealed unsafe class TlbTable
{
    private const int BitsPerWord = 64;
    private const int TranslatedBits = 4096;

    private readonly ulong[] _used = new ulong[Tlb.Count / BitsPerWord];
    private readonly ulong[] _globals = new ulong[Tlb.Count / BitsPerWord];

    /// <summary>Which pages may be predicted: a bit for each, which others have as well. Most pages that are forgotten were not translated.</summary>
    private readonly ulong[] _translated = new ulong[TranslatedBits / BitsPerWord];

    private readonly TranslationMemory _memory;
    private PredictionTable? _predictions;

    /// <param name="memory">Where the translations are.</param>
    public TlbTable(TranslationMemory memory)
    {
        _memory = memory;
        for (int i = 0; i < Tlb.Count; i++)
        {
            Entries[i] = Empty(i);
        }
    }

    public TlbEntry* Entries => _memory.Entries;

    /// <summary>Copies of the translations, which are forgotten with them. Most machines run no emitted code, and have none.</summary>
    public PredictionTable Predictions => _predictions ??= new PredictionTable(_memory);

    /// <summary>Notes that an entry is about to be filled.</summary>
    public void Use(ulong address, int index, bool isGlobal)
    {
        TranslatedOf(address, out ulong translated) |= translated;
        (int word, ulong bit) = (index / BitsPerWord, 1UL << (index % BitsPerWord));
        _used[word] |= bit;
        _globals[word] = isGlobal ? _globals[word] | bit : _globals[word] & ~bit;
    }

    /// <summary>Forgets the entry of a page, or another one in its place.</summary>
    public void Clear(ulong address, int index)
    {
        if ((TranslatedOf(address, out ulong translated) & translated) != 0)
        {
            _predictions?.Clear(address);
        }

        Entries[index] = Empty(index);
        _used[index / BitsPerWord] &= ~(1UL << (index % BitsPerWord));
    }

    /// <summary>Forgets all entries.</summary>
    public void Clear()
    {
        _translated.AsSpan().Clear();
        _predictions?.Clear();
        for (int word = 0; word < _used.Length; word++)
        {
            Clear(word, _used[word]);
        }
    }

    /// <summary>Forgets all entries but those that last when CR3 is loaded.</summary>
    public void ClearNonGlobal()
    {
        _predictions?.Clear();
        for (int word = 0; word < _used.Length; word++)
        {
            Clear(word, _used[word] & ~_globals[word]);
        }
    }

    /// <summary>Makes writes take the slow path: those to one page, or all.</summary>
    public void ForbidWrites(HostPage? page)
    {
        _predictions?.ClearWrites();
        for (int word = 0; word < _used.Length; word++)
        {
            for (ulong left = _used[word]; left != 0; left &= left - 1)
            {
                int index = (word * BitsPerWord) + BitOperations.TrailingZeroCount(left);
                if (page is not { } only || Entries[index].Page.Identity == only.Identity)
                {
                    Entries[index].WriteTag = Tlb.InvalidFor((ulong)index << HostPage.Shift);
                }
            }
        }
    }

    private ref ulong TranslatedOf(ulong address, out ulong bit)
    {
        int page = (int)(address >> HostPage.Shift) & (TranslatedBits - 1);
        bit = 1UL << (page % BitsPerWord);
        return ref _translated[page / BitsPerWord];
    }

    private static TlbEntry Empty(int index)
    {
        ulong invalid = Tlb.InvalidFor((ulong)index << HostPage.Shift);
        return new TlbEntry { ReadTag = invalid, WriteTag = invalid, FetchTag = invalid };
    }

    /// <summary>Forgets some of the entries of a word.</summary>
    private void Clear(int word, ulong entries)
    {
        _used[word] &= ~entries;
        for (; entries != 0; entries &= entries - 1)
        {
            int index = (word * BitsPerWord) + BitOperations.TrailingZeroCount(entries);
            Entries[index] = Empty(index);
        }
    }
}
