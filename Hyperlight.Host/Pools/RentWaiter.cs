namespace Hyperlight.Host.Pools;

/// <summary>
/// A caller that waits for a sandbox. Whatever removes it from the queue, with the pool's lock, is the only one that
/// completes it: a caller that has given up never receives a sandbox.
/// </summary>
internal sealed class RentWaiter(SandboxPool pool, string? key, string? stack, long start)
{
    private readonly TaskCompletionSource<SandboxLease> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string? Key => key;

    /// <summary>Where it is in the pool's queue, or <see langword="null"/>. Used with the pool's lock.</summary>
    public LinkedListNode<RentWaiter>? Node { get; set; }

    /// <summary>Where it is in the queue of its key, in a pool that has such queues. Used with the pool's lock.</summary>
    public LinkedListNode<RentWaiter>? NodeOfKey { get; set; }

    /// <summary>Its place in the order in which all callers came.</summary>
    public long Number { get; set; }

    /// <summary>Where the sandbox was asked for, if the pool captures that.</summary>
    public string? Stack => stack;

    /// <summary>When the wait began, as a timestamp of the pool's time provider.</summary>
    public long Start => start;

    public Task<SandboxLease> Task => _completion.Task;

    public void Complete(SandboxLease lease) => _completion.SetResult(lease);

    public void Fail(Exception exception) => _completion.SetException(exception);

    /// <summary>The caller's token was cancelled.</summary>
    public void Cancel(CancellationToken cancellationToken)
    {
        if (pool.TryRemove(this, out _))
        {
            _completion.SetCanceled(cancellationToken);
        }
    }

    /// <summary>The wait took too long.</summary>
    public void TimeOut()
    {
        if (pool.TryRemove(this, out int others))
        {
            _completion.SetException(pool.TimedOut(this, others));
        }
    }
}
