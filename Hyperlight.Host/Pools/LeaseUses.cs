namespace Hyperlight.Host.Pools;

/// <summary>
/// Counts the operations of a lease that are in progress. An operation refers to this and not to the lease, so that a lease
/// that nothing else refers to is found while a call is in progress.
/// </summary>
internal sealed class LeaseUses
{
    private const int Returned = int.MinValue;

    /// <summary>The number of operations in progress; the highest bit says that the lease has ended.</summary>
    private int _count;

    /// <summary>Whether the lease has ended.</summary>
    public bool HasEnded => Volatile.Read(ref _count) < 0;

    /// <summary>
    /// Begins an operation. Without counting them, a call that begins while the lease ends on another thread could reach the
    /// sandbox of the next lease.
    /// </summary>
    /// <returns>Whether the lease has not ended.</returns>
    public bool TryBegin()
    {
        if (Interlocked.Increment(ref _count) >= 0)
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    /// <summary>An operation has ended.</summary>
    public void End() => Interlocked.Decrement(ref _count);

    /// <summary>Ends the lease, once.</summary>
    /// <param name="isInUse">Whether operations are in progress.</param>
    public bool TryEndLease(out bool isInUse)
    {
        int uses = Interlocked.Or(ref _count, Returned);
        isInUse = uses != 0;
        return uses >= 0;
    }
}
