namespace Hyperlight.Host.Pools;

/// <summary>
/// Idle sandboxes of a pool that keeps state per key. A key has at most one sandbox, which serves its callers in turn; a key
/// without one gets a clean one.
/// </summary>
internal sealed class IdleSessions : IIdleSandboxes
{
    /// <summary>The sandboxes with the state of a key, also those that are rented.</summary>
    private readonly Dictionary<string, PooledSandbox> _byKey = new(StringComparer.Ordinal);

    /// <summary>The idle sandboxes, in the order in which they became idle.</summary>
    private readonly List<PooledSandbox> _idle = [];

    public int Count => _idle.Count;

    public PooledSandbox? Oldest => _idle.Count > 0 ? _idle[0] : null;

    public PooledSandbox? FirstToExpire(bool canShrink) => canShrink ? Oldest : _idle.Find(static sandbox => sandbox.Key is not null);

    public PooledSandbox? Take(string? key)
    {
        PooledSandbox? sandbox = key is not null && _byKey.TryGetValue(key, out PooledSandbox? own)
            ? own.State == PooledSandboxState.Idle ? own : null
            : _idle.FindLast(static sandbox => sandbox.Key is null);
        if (sandbox is not null)
        {
            _idle.Remove(sandbox);
        }

        return sandbox;
    }

    public void Add(PooledSandbox sandbox) => _idle.Add(sandbox);

    public void Remove(PooledSandbox sandbox) => _idle.Remove(sandbox);

    public LinkedListNode<RentWaiter>? FirstWaiterFor(string? key, LinkedList<RentWaiter> waiters)
    {
        for (LinkedListNode<RentWaiter>? node = waiters.First; node is not null; node = node.Next)
        {
            if (key is null ? !HasSandbox(node.Value) : node.Value.Key == key)
            {
                return node;
            }
        }

        return null;
    }

    public void Assign(PooledSandbox sandbox, string? key)
    {
        if (key is not null && sandbox.Key != key)
        {
            sandbox.Key = key;
            _byKey.Add(key, sandbox);
        }
    }

    public void Forget(PooledSandbox sandbox)
    {
        if (sandbox.Key is { } key)
        {
            _byKey.Remove(key);
            sandbox.Key = null;
        }
    }

    public int CountWanted(LinkedList<RentWaiter> waiters) =>
        waiters.Where(waiter => !HasSandbox(waiter)).DistinctBy(static waiter => waiter.Key).Count();

    private bool HasSandbox(RentWaiter waiter) => waiter.Key is { } key && _byKey.ContainsKey(key);
}
