using System.Collections.Concurrent;

namespace Hyperlight.Whp;

/// <summary>
/// The regions of this process by the addresses of their views. A region may be wrapped by another object: what a driver
/// knows of it then is its handle, whose value is the address.
/// </summary>
internal static class SectionViews
{
    private static readonly ConcurrentDictionary<nint, WeakReference<ISectionRegion>> All = [];

    /// <summary>A region has a view.</summary>
    public static void Add(nint address, ISectionRegion region) => All[address] = new WeakReference<ISectionRegion>(region);

    /// <summary>A view is unmapped.</summary>
    public static void Remove(nint address) => All.TryRemove(address, out _);

    /// <summary>The region with a view at an address, if there is one.</summary>
    public static ISectionRegion? Find(nint address) =>
        All.TryGetValue(address, out WeakReference<ISectionRegion>? region) && region.TryGetTarget(out ISectionRegion? found) ? found : null;
}
