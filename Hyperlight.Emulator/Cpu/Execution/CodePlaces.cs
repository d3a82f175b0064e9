using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>
/// The pages that compiled code of one privilege relies on. Code lasts longer than translations: when those are forgotten, these pages are
/// looked up again, all at once, and only code of pages that are not in their places has to be found again.
/// </summary>
internal sealed class CodePlaces
{
    /// <summary>With more pages than this, all are forgotten.</summary>
    private const int MostPlaces = 2048;

    private readonly Dictionary<ulong, CodePlace> _places = [];

    /// <summary>The count of forgotten translations at which the places were looked up.</summary>
    private long _verifiedAt;

    /// <summary>Whether one that was in its place has left it: what leads to its code has to be forgotten.</summary>
    public bool HasLost { get; private set; }

    /// <summary>Whether translations were forgotten since the places were looked up.</summary>
    /// <param name="flushes">How often translations were forgotten: <see cref="Tlb.Flushes"/>.</param>
    public bool IsDoubtful(long flushes) => _verifiedAt != flushes;

    /// <summary>Looks the places up again.</summary>
    /// <param name="flushes">How often translations were forgotten.</param>
    /// <param name="isInPlace">Whether a place is where it was.</param>
    public void Verify(long flushes, Func<CodePlace, bool> isInPlace)
    {
        _verifiedAt = flushes;
        foreach (CodePlace place in _places.Values)
        {
            if (place.IsInPlace && !isInPlace(place))
            {
                Lose(place);
            }
        }
    }

    /// <summary>Notes that pages were found in their places.</summary>
    /// <param name="pages">The pages, by their linear addresses.</param>
    /// <returns>Their places.</returns>
    public CodePlace[] Note(ReadOnlySpan<(ulong Address, HostPage Page)> pages)
    {
        if (_places.Count + pages.Length > MostPlaces)
        {
            Clear();
        }

        var found = new CodePlace[pages.Length];
        for (int i = 0; i < found.Length; i++)
        {
            (ulong address, HostPage page) = pages[i];
            if (_places.TryGetValue(address, out CodePlace? place) && place.Page.Identity == page.Identity)
            {
                place.IsInPlace = true;
            }
            else
            {
                if (place is not null)
                {
                    Lose(place);
                }

                _places[address] = place = new CodePlace(address, page);
            }

            found[i] = place;
        }

        return found is [var only] ? only.Alone : found;
    }

    /// <summary>The translation of a page was forgotten.</summary>
    public void Forget(ulong address)
    {
        if (_places.TryGetValue(address & ~HostPage.OffsetMask, out CodePlace? place))
        {
            Lose(place);
        }
    }

    /// <summary>What leads to the code of lost places was forgotten.</summary>
    public void SettleLost() => HasLost = false;

    /// <summary>Nothing is relied on any more.</summary>
    public void Clear()
    {
        foreach (CodePlace place in _places.Values)
        {
            Lose(place);
        }

        _places.Clear();
    }

    private void Lose(CodePlace place)
    {
        HasLost |= place.IsInPlace;
        place.IsInPlace = false;
    }
}
