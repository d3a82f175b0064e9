using Hyperlight.Host.Execution.Threads;

namespace Hyperlight;

/// <summary>
/// The threads on which guests run that are called asynchronously. They are the library's own, so that guests that run for
/// long occupy no thread of the thread pool. Guests that wait for an asynchronous host function occupy no thread at all.
/// Thread-safe.
/// </summary>
/// <remarks>
/// Threads are started when they are needed, and end after <see cref="IdleTime"/> without work. If all are busy, calls wait
/// in the order in which they were made; guests whose host function has completed wait in the same order.
/// </remarks>
public sealed class GuestThreads
{
    private readonly object _sync = new();
    private readonly LinkedList<GuestThreadTurn> _queue = new();
    private int _count;
    private int _idle;

    /// <summary>Creates a set of threads. None is started yet.</summary>
    /// <param name="maximumCount">The largest number of threads, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is zero or negative.</exception>
    public GuestThreads(int maximumCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maximumCount);
        MaximumCount = maximumCount;
    }

    /// <summary>The threads of sandboxes that are given none: as many as the process has processors.</summary>
    public static GuestThreads Default { get; } = new(Environment.ProcessorCount);

    /// <summary>The largest number of threads.</summary>
    public int MaximumCount { get; }

    /// <summary>The number of threads at the moment.</summary>
    public int Count
    {
        get
        {
            lock (_sync)
            {
                return _count;
            }
        }
    }

    /// <summary>The number of guests that wait for a thread at the moment.</summary>
    public int QueueLength
    {
        get
        {
            lock (_sync)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>How long a thread without work waits before it ends. Default 10 seconds.</summary>
    internal TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Starts a thread. Tests replace it: the system may have none to give.</summary>
    internal Action<Thread> StartThread { get; init; } = static thread => thread.UnsafeStart();

    /// <summary>Queues a turn for the next free thread.</summary>
    internal void Enqueue(GuestThreadTurn turn)
    {
        lock (_sync)
        {
            if (!turn.IsEnded)
            {
                turn.Node = _queue.AddLast(turn);
                if (TryProvide())
                {
                    return;
                }

                _queue.Remove(turn.Node);
                turn.Node = null;
            }
        }

        turn.ContinueElsewhere();
    }

    /// <summary>The call of a turn is to end: it needs no guest thread any more.</summary>
    internal void End(GuestThreadTurn turn)
    {
        lock (_sync)
        {
            turn.IsEnded = true;
            if (turn.Node is not { } node)
            {
                return;
            }

            _queue.Remove(node);
            turn.Node = null;
        }

        turn.ContinueElsewhere();
    }

    /// <summary>Wakes a thread for what is queued, or starts one.</summary>
    /// <returns>Whether there is a thread, now or when it is free.</returns>
    private bool TryProvide()
    {
        if (_queue.Count <= _idle)
        {
            Monitor.Pulse(_sync);
        }
        else if (_count < MaximumCount)
        {
            try
            {
                StartThread(new Thread(Work) { IsBackground = true, Name = "Hyperlight guest" });
                _count++;
            }
            catch (OutOfMemoryException)
            {
                // The system has no further thread to give. Those that are there take the turn when they are free; if there
                // is none, the thread pool does.
                return _count > 0;
            }
        }

        return true;
    }

    private void Work()
    {
        // A caller can suppress the flow of its context. What host functions then leave on the thread is not for the next caller.
        ExecutionContext clean = ExecutionContext.Capture()!;
        while (TakeNext() is { } turn)
        {
            ExecutionContext.Run(clean, static turn => ((GuestThreadTurn)turn!).Continue(), turn);
        }
    }

    /// <summary>Takes the first turn; <see langword="null"/> if the thread is not needed any more.</summary>
    private GuestThreadTurn? TakeNext()
    {
        lock (_sync)
        {
            while (_queue.First is null)
            {
                _idle++;
                bool isWoken = Monitor.Wait(_sync, IdleTime);
                _idle--;
                if (!isWoken && _queue.First is null)
                {
                    _count--;
                    return null;
                }
            }

            GuestThreadTurn turn = _queue.First.Value;
            _queue.RemoveFirst();
            turn.Node = null;
            return turn;
        }
    }
}
