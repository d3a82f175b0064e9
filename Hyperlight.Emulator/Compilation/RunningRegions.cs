namespace Hyperlight.Emulator.Compilation;

/// <summary>
/// Finds the regions in which a guest spends its time: code returns now and then, and where it does is where it probably runs most. Only these
/// predict the pages of operands. Elsewhere predictions take more time than they save: each is wrong once after translations were forgotten, and
/// those of much code are wrong more often.
/// </summary>
internal sealed class RunningRegions
{
    /// <summary>How often a region has to be seen among as many times as something is seen.</summary>
    public const int Enough = 8;
    public const int Among = 64;

    private long _seen;

    /// <summary>A region was seen running.</summary>
    /// <returns>Whether it is to be compiled again, so that it predicts.</returns>
    public bool See(Region region)
    {
        _seen++;
        (int count, long since) = region.Seen;
        region.Seen = _seen - since >= Among ? (1, _seen) : (count + 1, since);
        return !region.Predicts && !region.IsTriedToPredict && region.Seen.Count == Enough;
    }
}
