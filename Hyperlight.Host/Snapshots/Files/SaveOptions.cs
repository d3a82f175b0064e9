namespace Hyperlight.Host.Snapshots.Files;

/// <summary>How a snapshot is saved.</summary>
internal sealed record SaveOptions
{
    /// <summary>How long blobs stay that no tag leads to any more.</summary>
    public TimeSpan GarbageGrace { get; init; } = OciGarbage.Grace;

    /// <summary>Whether the tag is taken from a snapshot that has it. Otherwise that one stays, and nothing is saved.</summary>
    public bool IsReplacing { get; init; } = true;

    /// <summary>Whether a directory to which others may write is refused.</summary>
    public bool IsPrivate { get; init; }
}
