namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// The regions that a block is in: seldom more than one, which takes no memory, but there can be thousands, and each leaves it by itself.
/// </summary>
internal struct RegionSet
{
    /// <summary>As many are searched one by one.</summary>
    private const int MostFew = 8;

    /// <summary>Nothing, a region, an array of a few or a set of many.</summary>
    private object? _regions;

    public void Add(Region region) => _regions = _regions switch
    {
        null => region,
        Region one => one == region ? one : new[] { one, region },
        Region[] few when few.Contains(region) => few,
        Region[] { Length: < MostFew } few => (Region[])[.. few, region],
        Region[] few => new HashSet<Region>(few) { region },
        var many => AddTo((HashSet<Region>)many, region),
    };

    public void Remove(Region region) => _regions = _regions switch
    {
        null => null,
        Region one => one == region ? null : one,
        Region[] few => Fewest(Array.FindAll(few, other => other != region)),
        var many => RemoveFrom((HashSet<Region>)many, region),
    };

    public readonly bool Any(Func<Region, bool> condition) => All.Any(condition);

    /// <summary>Takes all regions away, and returns them.</summary>
    public IEnumerable<Region> Take()
    {
        IEnumerable<Region> regions = All;
        _regions = null;
        return regions;
    }

    private readonly IEnumerable<Region> All => _regions switch
    {
        null => [],
        Region one => [one],
        var several => (IEnumerable<Region>)several,
    };

    /// <summary>An array has at least two.</summary>
    private static object Fewest(Region[] few) => few is [var one] ? one : few;

    private static HashSet<Region> AddTo(HashSet<Region> many, Region region)
    {
        many.Add(region);
        return many;
    }

    private static object RemoveFrom(HashSet<Region> many, Region region) =>
        many.Remove(region) && many.Count == MostFew ? many.ToArray() : many;
}
