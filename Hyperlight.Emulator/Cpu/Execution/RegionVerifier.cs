using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Whether compiled code still is the code of the guest: its pages are where they were, and hold the same bytes.</summary>
internal sealed unsafe class RegionVerifier(
    ProcessorState* state,
    Tlb tlb,
    BlockCache blocks,
    PendingEvent pending,
    CodePlacesByPrivilege places,
    AddressTranslation translation,
    CodeFetcher fetcher)
{
    private Func<CodePlace, bool>? _isInPlace;

    /// <summary>Whether a region's pages are where they were; if not, it is forgotten.</summary>
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

        foreach ((ulong address, HostPage page) in region.Pages)
        {
            if (!TryProbe(address, out HostPage current) || current.Identity != page.Identity)
            {
                region.Invalidate();
                return false;
            }
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

    /// <summary>
    /// Finds the page of code at an address. The guest sees no effect but accessed bits, which processors set ahead of time as well.
    /// </summary>
    private bool TryProbe(ulong address, out HostPage page)
    {
        ref TlbEntry entry = ref tlb.Slot(address);
        if (entry.FetchTag != address)
        {
            ulong faultAddress = state->Control.Cr2;
            if (!translation.Translate(address, Access.Fetch, out _))
            {
                state->Control.Cr2 = faultAddress;
                pending.Kind = PendingKind.None;
                page = default;
                return false;
            }
        }

        page = entry.Page;
        return entry.FetchTag == address;
    }
}
