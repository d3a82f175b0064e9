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

    /// <summary>The callers that wait, by key.</summary>
    private readonly Dictionary<string, LinkedList<RentWaiter>> _waiters = new(StringComparer.Ordinal);

    /// <summary>Of each key that has callers but no sandbox the first caller, in the order in which they came.</summary>
    private readonly SortedSet<RentWaiter> _withoutSandbox = new(Comparer<RentWaiter>.Create(static (a, b) => a.Number.CompareTo(b.Number)));

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

    public void Enqueued(RentWaiter waiter)
    {
        string key = waiter.Key!;
        if (!_waiters.TryGetValue(key, out LinkedList<RentWaiter>? queue))
        {
            queue = new LinkedList<RentWaiter>();
            _waiters.Add(key, queue);
        }

        waiter.NodeOfKey = queue.AddLast(waiter);
        if (queue.Count == 1 && !_byKey.ContainsKey(key))
        {
            _withoutSandbox.Add(waiter);
        }
    }

    public void Dequeued(RentWaiter waiter)
    {
        string key = waiter.Key!;
        LinkedList<RentWaiter> queue = waiter.NodeOfKey!.List!;
        queue.Remove(waiter.NodeOfKey);
        waiter.NodeOfKey = null;
        bool wasFirst = _withoutSandbox.Remove(waiter);
        if (queue.First is not { } next)
        {
            _waiters.Remove(key);
        }
        else if (wasFirst)
        {
            _withoutSandbox.Add(next.Value);
        }
    }

    public RentWaiter? FirstWaiterFor(string? key, LinkedList<RentWaiter> waiters) =>
        key is null ? _withoutSandbox.Min : _waiters.GetValueOrDefault(key)?.First!.Value;

    public void Assign(PooledSandbox sandbox, string? key)
    {
        if (key is not null && sandbox.Key != key)
        {
            sandbox.Key = key;
            _byKey.Add(key, sandbox);
            if (_waiters.GetValueOrDefault(key) is { First: { } first })
            {
                _withoutSandbox.Remove(first.Value);
            }
        }
    }

    public void Forget(PooledSandbox sandbox)
    {
        if (sandbox.Key is { } key)
        {
            _byKey.Remove(key);
            sandbox.Key = null;
            if (_waiters.GetValueOrDefault(key) is { First: { } first })
            {
                _withoutSandbox.Add(first.Value);
            }
        }
    }

    public int CountWanted(LinkedList<RentWaiter> waiters) => _withoutSandbox.Count;
}
