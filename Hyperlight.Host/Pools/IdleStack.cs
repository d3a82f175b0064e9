namespace Hyperlight.Host.Pools;

/// <summary>Idle sandboxes that all callers can use: the one that was used last is rented first, because its memory is still in caches.</summary>
internal sealed class IdleStack : IIdleSandboxes
{
    private readonly List<PooledSandbox> _sandboxes = [];

    public int Count => _sandboxes.Count;

    public PooledSandbox? Oldest => _sandboxes.Count > 0 ? _sandboxes[0] : null;

    public PooledSandbox? FirstToExpire(bool canShrink) => canShrink ? Oldest : null;

    public PooledSandbox? Take(string? key)
    {
        int last = _sandboxes.Count - 1;
        if (last < 0)
        {
            return null;
        }

        PooledSandbox sandbox = _sandboxes[last];
        _sandboxes.RemoveAt(last);
        return sandbox;
    }

    public void Add(PooledSandbox sandbox) => _sandboxes.Add(sandbox);

    public void Remove(PooledSandbox sandbox) => _sandboxes.Remove(sandbox);

    public void Enqueued(RentWaiter waiter)
    {
    }

    public void Dequeued(RentWaiter waiter)
    {
    }

    public RentWaiter? FirstWaiterFor(string? key, LinkedList<RentWaiter> waiters) => waiters.First?.Value;

    public void Assign(PooledSandbox sandbox, string? key)
    {
    }

    public void Forget(PooledSandbox sandbox)
    {
    }

    public int CountWanted(LinkedList<RentWaiter> waiters) => waiters.Count;
}
