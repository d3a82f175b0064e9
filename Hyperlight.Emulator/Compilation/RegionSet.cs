namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// The regions that a block is in: seldom more than one, which takes no memory, but there can be thousands, and each leaves it by itself.
/// </summary>
internal struct RegionSet
{
    /// <summary>Nothing, a region, or a set of them.</summary>
    private object? _regions;

    public void Add(Region region)
    {
        switch (_regions)
        {
            case null:
                _regions = region;
                break;
            case HashSet<Region> several:
                several.Add(region);
                break;
            case var other when !ReferenceEquals(other, region):
                _regions = new HashSet<Region> { (Region)other, region };
                break;
        }
    }

    public void Remove(Region region)
    {
        if (ReferenceEquals(_regions, region))
        {
            _regions = null;
        }
        else if (_regions is HashSet<Region> several && several.Remove(region) && several.Count == 1)
        {
            _regions = several.Single();
        }
    }

    public readonly bool Any(Func<Region, bool> condition) => _regions switch
    {
        null => false,
        HashSet<Region> several => several.Any(condition),
        var region => condition((Region)region),
    };

    /// <summary>Takes all regions away, and returns them.</summary>
    public IEnumerable<Region> Take()
    {
        object? regions = _regions;
        _regions = null;
        return regions switch
        {
            null => [],
            HashSet<Region> several => several,
            var region => [(Region)region],
        };
    }
}
