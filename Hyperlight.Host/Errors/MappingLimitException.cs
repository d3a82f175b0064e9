namespace Hyperlight;

/// <summary>A sandbox already has the largest possible number of mappings. The sandbox was not changed.</summary>
public sealed class MappingLimitException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="limit">The largest possible number of mappings.</param>
    /// <param name="reason">What sets the limit.</param>
    public MappingLimitException(uint limit, string reason)
        : base($"The sandbox has {limit} mappings, and no more are possible: {reason}. Unmap one first.") => Limit = limit;

    /// <summary>The largest possible number of mappings.</summary>
    public uint Limit { get; }
}
