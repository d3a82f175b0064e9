using Hyperlight.Host.Pools;

namespace Hyperlight;

/// <content>Sandboxes that nothing uses: they are disposed, and what is kept for a key is dropped.</content>
public sealed partial class SandboxPool
{
    private readonly ITimer _idleTimer;
    private bool _isTimerSet;

    private bool CanShrink => Size - _retiring > _options.MinimumSize;

    /// <summary>Sets the timer if an idle sandbox can expire. With the lock.</summary>
    private void ScheduleExpiry()
    {
        if (!_isTimerSet && _options.IdleTimeout != Timeout.InfiniteTimeSpan && _idle.FirstToExpire(CanShrink) is { } first)
        {
            TimeSpan due = _options.IdleTimeout - _time.GetElapsedTime(first.IdleSince);
            _isTimerSet = true;
            _idleTimer.Change(due > TimeSpan.Zero ? due : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Takes out the sandboxes that were idle for too long.</summary>
    private void ExpireIdle()
    {
        List<PooledSandbox> expired = [];
        lock (_lock)
        {
            _isTimerSet = false;
            if (_isClosed)
            {
                return;
            }

            while (_idle.FirstToExpire(CanShrink) is { } first && _time.GetElapsedTime(first.IdleSince) >= _options.IdleTimeout)
            {
                _idle.Remove(first);
                expired.Add(first);
                if (CanShrink)
                {
                    MarkRetired(first);
                }
                else
                {
                    MarkRestoring(first);
                }
            }

            ScheduleExpiry();
        }

        expired.ForEach(Queue);
    }

    /// <summary>Takes all idle sandboxes out of the pool. With the lock.</summary>
    private void RetireAllIdle(List<PooledSandbox> retired)
    {
        while (_idle.Oldest is { } oldest)
        {
            _idle.Remove(oldest);
            MarkRetired(oldest);
            retired.Add(oldest);
        }
    }
}
