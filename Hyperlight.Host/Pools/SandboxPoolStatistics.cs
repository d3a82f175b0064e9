namespace Hyperlight;

/// <summary>The state of a pool at one moment, and what has happened since it was created.</summary>
public sealed record SandboxPoolStatistics
{
    /// <summary>
    /// The sandboxes that exist, and those that are being created: at most <see cref="SandboxPoolOptions.MaximumSize"/>. The sum of
    /// <see cref="Idle"/>, <see cref="Rented"/>, <see cref="Creating"/>, <see cref="Restoring"/> and <see cref="Retiring"/>.
    /// </summary>
    public int Size { get; init; }

    /// <summary>The largest size: <see cref="SandboxPoolOptions.MaximumSize"/>.</summary>
    public int MaximumSize { get; init; }

    /// <summary>How many callers can wait: <see cref="SandboxPoolOptions.QueueLength"/>.</summary>
    public int QueueLength { get; init; }

    /// <summary>Whether the pool was closed.</summary>
    public bool IsClosed { get; init; }

    /// <summary>The sandboxes that can be rented at once.</summary>
    public int Idle { get; init; }

    /// <summary>The sandboxes that are rented.</summary>
    public int Rented { get; init; }

    /// <summary>The sandboxes that are being created.</summary>
    public int Creating { get; init; }

    /// <summary>The sandboxes whose clean state is being restored.</summary>
    public int Restoring { get; init; }

    /// <summary>The sandboxes that are being disposed, or will be when the call in progress has ended.</summary>
    public int Retiring { get; init; }

    /// <summary>The callers that wait for a sandbox.</summary>
    public int Waiting { get; init; }

    /// <summary>How often a sandbox was rented.</summary>
    public long Rents { get; init; }

    /// <summary>How many sandboxes were created.</summary>
    public long Creations { get; init; }

    /// <summary>How often creating a sandbox failed.</summary>
    public long CreationFailures { get; init; }

    /// <summary>How often the clean state was restored.</summary>
    public long Restores { get; init; }

    /// <summary>How many sandboxes were returned poisoned, in use or changed, or failed to be restored. They were disposed.</summary>
    public long Discards { get; init; }

    /// <summary>How many callers were refused because the queue was full.</summary>
    public long Rejections { get; init; }

    /// <summary>How many callers waited for too long.</summary>
    public long Timeouts { get; init; }

    /// <summary>How many leases were never returned.</summary>
    public long LostLeases { get; init; }
}
