using System.Numerics;

namespace Hyperlight.Emulator.Memory;

/// <summary>Which pages of a mapping the guest has written: a bit for each.</summary>
/// <param name="size">Bytes of the mapping.</param>
internal sealed class WrittenPages(ulong size)
{
    private const int BitsPerWord = 64;

    private readonly ulong[] _words = new ulong[((size / HostPage.Size) + BitsPerWord - 1) / BitsPerWord];

    /// <summary>Whether the page at an offset in the mapping was written.</summary>
    public bool Contains(ulong offset) => (Word(offset) & Bit(offset)) != 0;

    /// <summary>Notes that the page at an offset in the mapping is written.</summary>
    /// <returns>Whether that was not known.</returns>
    public bool Add(ulong offset)
    {
        ref ulong word = ref Word(offset);
        ulong before = word;
        word = before | Bit(offset);
        return word != before;
    }

    /// <summary>Sets the pages that were written to zero, and forgets that they were.</summary>
    /// <param name="start">Host address of the mapping's first page.</param>
    public void Clear(nint start)
    {
        for (int i = 0; i < _words.Length; i++)
        {
            while (_words[i] != 0)
            {
                nint page = ((nint)i * BitsPerWord) + BitOperations.TrailingZeroCount(_words[i]);
                new HostPage(start + (page * HostPage.Size)).From(0).Clear();
                _words[i] &= _words[i] - 1;
            }
        }
    }

    private static ulong Bit(ulong offset) => 1UL << (int)(offset / HostPage.Size % BitsPerWord);

    private ref ulong Word(ulong offset) => ref _words[offset / HostPage.Size / BitsPerWord];
}
