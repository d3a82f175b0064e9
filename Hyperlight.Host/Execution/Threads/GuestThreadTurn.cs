using System.Runtime.CompilerServices;
using Hyperlight.Host.Execution.Waiting;

namespace Hyperlight.Host.Execution.Threads;

/// <summary>
/// A call that waits for a guest thread: awaiting it continues on one. If the call is to end meanwhile, it continues on the
/// thread pool, because it will not enter the guest any more.
/// </summary>
/// <param name="threads">The threads.</param>
/// <param name="operation">The number of the call.</param>
internal sealed class GuestThreadTurn(GuestThreads threads, ulong operation) : ICallWaiter, ICriticalNotifyCompletion
{
    private Action? _continuation;

    /// <inheritdoc/>
    public ulong Operation => operation;

    /// <summary>Never: a call begins on the caller's thread, and a host function ends on some other.</summary>
    public bool IsCompleted => false;

    /// <summary>Where it is in the queue. Guarded by the lock of the threads.</summary>
    internal LinkedListNode<GuestThreadTurn>? Node { get; set; }

    /// <summary>Whether the call is to end. Guarded by the lock of the threads.</summary>
    internal bool IsEnded { get; set; }

    public GuestThreadTurn GetAwaiter() => this;

    public void GetResult()
    {
        // There is no result.
    }

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    /// <summary>Queues the continuation. It carries its execution context itself.</summary>
    public void UnsafeOnCompleted(Action continuation)
    {
        _continuation = continuation;
        threads.Enqueue(this);
    }

    /// <inheritdoc/>
    public void End() => threads.End(this);

    /// <summary>Continues on the calling guest thread.</summary>
    internal void Continue() => _continuation!();

    /// <summary>Continues on the thread pool.</summary>
    internal void ContinueElsewhere() => ThreadPool.UnsafeQueueUserWorkItem(static turn => turn.Continue(), this, preferLocal: false);
}
