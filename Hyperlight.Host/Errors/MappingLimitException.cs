namespace Hyperlight;

/// <summary>A sandbox has as many mappings as are possible. Nothing was changed.</summary>
public sealed class MappingLimitException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="limit">How many mappings are possible.</param>
    /// <param name="reason">What sets the limit.</param>
    public MappingLimitException(uint limit, string reason)
        : base($"The sandbox has {limit} mappings, and no more are possible: {reason}. Unmap one first.") => Limit = limit;

    /// <summary>How many mappings are possible.</summary>
    public uint Limit { get; }
}
