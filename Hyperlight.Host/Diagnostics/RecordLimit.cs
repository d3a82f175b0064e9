namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// Limits how many log records a guest writes in a second, so that it cannot fill a disk or hide other records among its own, and
/// counts those that are dropped. Used by one thread at a time, like its sandbox.
/// </summary>
/// <param name="rate">The largest number of records in a second.</param>
/// <param name="time">The clock.</param>
internal sealed class RecordLimit(int rate, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private long _intervalStart = time.GetTimestamp();
    private int _written;
    private long _dropped;
    private long? _lastReport;

    /// <summary>The largest number of records in a second.</summary>
    public int Rate => rate;

    /// <summary>Whether the guest may write a record now. Otherwise the record counts as dropped.</summary>
    public bool TryWrite()
    {
        if (IsOver(_intervalStart))
        {
            _intervalStart = time.GetTimestamp();
            _written = 0;
        }

        if (_written < rate)
        {
            _written++;
            return true;
        }

        _dropped++;
        return false;
    }

    /// <summary>How many records were dropped and have to be reported now: at most once in a second, unless it is the last time.</summary>
    public long TakeDropped(bool isLast = false)
    {
        if (_dropped == 0 || (!isLast && _lastReport is { } last && !IsOver(last)))
        {
            return 0;
        }

        long dropped = _dropped;
        _dropped = 0;
        _lastReport = time.GetTimestamp();
        return dropped;
    }

    private bool IsOver(long start) => time.GetElapsedTime(start) >= Interval;
}
