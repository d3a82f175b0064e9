namespace Hyperlight.Linux;

/// <summary>
/// Repeats cancellations that the kernel refused, each until it takes, on a thread of its own: the caller does not
/// wait, and a pool thread might not be free while guests hold them all.
/// </summary>
internal static class KickRetries
{
    private const int IntervalMilliseconds = 1;

    private static readonly Lock Lock = new();
    private static readonly List<VcpuKicker> Waiting = [];
    private static bool _isRunning;

    /// <summary>Repeats a cancellation until it takes, or until there is nothing to cancel any more.</summary>
    public static void Add(VcpuKicker kicker)
    {
        lock (Lock)
        {
            if (!Waiting.Contains(kicker))
            {
                Waiting.Add(kicker);
            }

            if (!_isRunning)
            {
                new Thread(Run) { IsBackground = true, Name = "Hyperlight cancellation" }.Start();
                _isRunning = true;
            }
        }
    }

    private static void Run()
    {
        while (true)
        {
            Thread.Sleep(IntervalMilliseconds);
            lock (Lock)
            {
                Waiting.RemoveAll(static kicker => kicker.TryKick());
                if (Waiting.Count == 0)
                {
                    _isRunning = false;
                    return;
                }
            }
        }
    }
}
