namespace Hyperlight.Host.Pools;

/// <summary>The idle sandboxes of a pool, and which of them a caller gets. Used with the pool's lock.</summary>
internal interface IIdleSandboxes
{
    /// <summary>How many there are.</summary>
    int Count { get; }

    /// <summary>The one that is idle for the longest time.</summary>
    PooledSandbox? Oldest { get; }

    /// <summary>The one that is idle for the longest time, of those that the pool does not want to keep.</summary>
    /// <param name="canShrink">Whether the pool can do with fewer sandboxes; otherwise only the state of a key can be dropped.</param>
    PooledSandbox? FirstToExpire(bool canShrink);

    /// <summary>Takes one for a rent, or returns <see langword="null"/> if none fits.</summary>
    PooledSandbox? Take(string? key);

    /// <summary>Adds one.</summary>
    void Add(PooledSandbox sandbox);

    /// <summary>Removes one.</summary>
    void Remove(PooledSandbox sandbox);

    /// <summary>A caller was added to the end of the queue.</summary>
    void Enqueued(RentWaiter waiter);

    /// <summary>A caller was removed from the queue, wherever it was.</summary>
    void Dequeued(RentWaiter waiter);

    /// <summary>The first caller in the queue that can use a sandbox with the state of a key, or a clean one.</summary>
    RentWaiter? FirstWaiterFor(string? key, LinkedList<RentWaiter> waiters);

    /// <summary>A sandbox is rented with a key.</summary>
    void Assign(PooledSandbox sandbox, string? key);

    /// <summary>The sandbox has no state of a key any more.</summary>
    void Forget(PooledSandbox sandbox);

    /// <summary>How many clean sandboxes the callers in the queue can use.</summary>
    int CountWanted(LinkedList<RentWaiter> waiters);
}
