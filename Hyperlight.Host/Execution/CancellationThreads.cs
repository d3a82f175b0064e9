namespace Hyperlight.Host.Execution;

/// <summary>
/// Threads that run the application's callbacks when a call is ended. A callback may wait for long, so each has a thread
/// of its own; only if many calls are ended at once, the thread pool runs the callbacks of some. Thread-safe.
/// </summary>
internal sealed class CancellationThreads
{
    /// <summary>The largest number of threads at a time.</summary>
    public const int MaximumCount = 16;

    private int _count;

    /// <summary>The threads of all sandboxes of the process.</summary>
    public static CancellationThreads Default { get; } = new();

    /// <summary>Starts a thread. Tests replace it: the system may have none to give.</summary>
    internal Action<Thread> StartThread { get; init; } = static thread => thread.UnsafeStart();

    /// <summary>Runs an action, which does not throw, on another thread.</summary>
    public void Run(Action action)
    {
        if (!TryStart(action))
        {
            // The thread pool has some threads, even if all of them are busy.
            ThreadPool.UnsafeQueueUserWorkItem(static action => action(), action, preferLocal: false);
        }
    }

    private bool TryStart(Action action)
    {
        if (Interlocked.Increment(ref _count) <= MaximumCount)
        {
            try
            {
                StartThread(new Thread(() => RunAndEnd(action)) { IsBackground = true, Name = "Hyperlight cancellation" });
                return true;
            }
            catch (OutOfMemoryException)
            {
                // The system has no further thread to give.
            }
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    private void RunAndEnd(Action action)
    {
        action();
        Interlocked.Decrement(ref _count);
    }
}
