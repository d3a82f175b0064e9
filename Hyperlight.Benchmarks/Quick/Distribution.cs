using System.Diagnostics;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>Collects times, in ticks of the stopwatch, up to a fixed number and without allocating.</summary>
internal sealed class Distribution(int capacity)
{
    private readonly long[] _ticks = new long[capacity];
    private int _count;

    /// <summary>How many there are.</summary>
    public int Count => _count;

    /// <summary>Whether no more can be added.</summary>
    public bool IsFull => _count == _ticks.Length;

    /// <summary>The smallest one, in microseconds.</summary>
    public double Fastest => _ticks[.._count].Min() * 1e6 / Stopwatch.Frequency;

    /// <summary>Adds one.</summary>
    public void Add(long ticks) => _ticks[_count++] = ticks;

    /// <summary>The smallest time that a share of all times do not exceed, in microseconds.</summary>
    /// <param name="percent">The share, above 0 and up to 100.</param>
    public double Percentile(int percent)
    {
        long[] sorted = _ticks[.._count];
        Array.Sort(sorted);
        int rank = (int)Math.Ceiling(_count * percent / 100.0);
        return sorted[rank - 1] * 1e6 / Stopwatch.Frequency;
    }
}
