namespace Hyperlight.Linux;

/// <summary>
/// Repeats cancellations that the kernel refused, each until it takes, on a thread of its own: the caller does not
/// wait, and a pool thread might not be free while guests hold them all.
/// </summary>
internal sealed class KickRetries
{
    private const int IntervalMilliseconds = 1;

    private readonly Lock _lock = new();
    private readonly List<VcpuKicker> _waiting = [];
    private bool _isRunning;

    /// <summary>Those of the process.</summary>
    public static KickRetries Shared { get; } = new();

    /// <summary>Starts the thread. Tests replace it: the system may have none to give.</summary>
    internal Action<Thread> StartThread { get; init; } = static thread => thread.UnsafeStart();

    /// <summary>Repeats a cancellation until it takes, or until there is nothing to cancel any more.</summary>
    public void Add(VcpuKicker kicker)
    {
        lock (_lock)
        {
            if (!_waiting.Contains(kicker))
            {
                _waiting.Add(kicker);
            }

            if (!_isRunning)
            {
                Start();
                _isRunning = true;
            }
        }
    }

    private void Start()
    {
        try
        {
            StartThread(new Thread(Run) { IsBackground = true, Name = "Hyperlight cancellation" });
        }
        catch (OutOfMemoryException)
        {
            // The system has no further thread to give. The thread pool has some, even if all of them are busy.
            ThreadPool.UnsafeQueueUserWorkItem(static retries => retries.Run(), this, preferLocal: false);
        }
    }

    private void Run()
    {
        while (true)
        {
            Thread.Sleep(IntervalMilliseconds);
            lock (_lock)
            {
                _waiting.RemoveAll(static kicker => kicker.TryKick());
                if (_waiting.Count == 0)
                {
                    _isRunning = false;
                    return;
                }
            }
        }
    }
}
