using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Whether compiled code still is the code of the guest: its pages are where they were, and hold the same bytes.</summary>
internal sealed class RegionVerifier(
    Tlb tlb,
    BlockCache blocks,
    CodePlacesByPrivilege places,
    AddressTranslation translation,
    CodeFetcher fetcher)
{
    private Func<CodePlace, bool>? _isInPlace;

    /// <summary>Whether a region's pages are where they were, and the guest has accessed each. If they are not, it is forgotten.</summary>
    public bool IsInPlace(Region region)
    {
        VerifyPlaces();
        if (region.IsInPlace && region.IsFoundForUser == tlb.IsUser)
        {
            return true;
        }

        if (!region.Code.IsFor(tlb.IsUser))
        {
            region.Invalidate();
            return false;
        }

        bool isAccessed = true;
        foreach ((ulong address, HostPage page) in region.Pages)
        {
            ref TlbEntry entry = ref tlb.Slot(address);
            bool isPageAccessed = true;
            if (entry.FetchTag == address ? entry.Page.Identity != page.Identity : !translation.LeadsTo(address, page, out isPageAccessed))
            {
                region.Invalidate();
                return false;
            }

            isAccessed &= isPageAccessed;
        }

        if (!isAccessed)
        {
            // Another guest may have executed the page. This one must not find that out by an accessed bit that it did not cause.
            region.NoteNotAccessed();
            return false;
        }

        NoteInPlace(region);
        return true;
    }

    /// <summary>A region's pages are where they were: that holds until the translation of one of them is forgotten.</summary>
    public void NoteInPlace(Region region) => region.NotePlaces(places.Current.Note(region.Pages), tlb.IsUser);

    /// <summary>Looks the pages up that code relies on, if translations were forgotten since.</summary>
    public void VerifyPlaces()
    {
        CodePlaces current = places.Current;
        if (current.IsDoubtful(tlb.Flushes))
        {
            current.Verify(tlb.Flushes, _isInPlace ??= translation.IsInPlace);
        }
    }

    /// <summary>Whether a region's bytes are what they were: the host may change them between runs. If not, it is forgotten.</summary>
    public bool IsUnchanged(Region region)
    {
        if (region.VerifiedInRun == fetcher.Run)
        {
            return true;
        }

        if (!region.Matches())
        {
            foreach ((_, HostPage page) in region.Pages)
            {
                blocks.Invalidate(page);
            }

            return false;
        }

        region.VerifiedInRun = fetcher.Run;
        return true;
    }
}
