namespace Hyperlight;

/// <summary>A guest and its configuration need more memory than is allowed, or were given less than they need.</summary>
public sealed class MemoryRequestException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="what">What was requested, such as <c>scratch memory</c>.</param>
    /// <param name="requested">Bytes requested.</param>
    /// <param name="limit">The bound it violates, in bytes.</param>
    /// <param name="isTooSmall">Whether the bound is a minimum rather than a maximum.</param>
    /// <param name="remedy">What the user can do.</param>
    public MemoryRequestException(string what, ulong requested, ulong limit, bool isTooSmall, string remedy)
        : base($"The {what} of {requested} bytes is {(isTooSmall ? "below the minimum" : "above the maximum")} of {limit} bytes. {remedy}")
    {
        Requested = requested;
        Limit = limit;
        IsTooSmall = isTooSmall;
    }

    /// <summary>Bytes requested.</summary>
    public ulong Requested { get; }

    /// <summary>The bound it violates, in bytes.</summary>
    public ulong Limit { get; }

    /// <summary>Whether <see cref="Limit"/> is a minimum rather than a maximum.</summary>
    public bool IsTooSmall { get; }
}
