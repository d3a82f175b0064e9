using System.Diagnostics;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>Repeats a scenario and keeps for each run how long it took and what it asked of the kernel.</summary>
internal sealed class Sampler(Scenario scenario, KernelMeter? meter)
{
    private const int MostSamples = 100_000;

    private long _ioctls;
    private long _allocated;
    private long _instructions;
    private long _ticks;

    /// <summary>The times of the runs.</summary>
    public Distribution Runs { get; } = new(MostSamples);

    /// <summary>Where that time went; <see langword="null"/> if it cannot be told.</summary>
    public TimeSplit? Split { get; } = meter is not null && scenario.IsSequential ? new TimeSplit(MostSamples) : null;

    /// <summary>Operations measured so far.</summary>
    public long Operations => (long)Runs.Count * scenario.OperationsPerRun;

    /// <summary>Ioctls of an operation.</summary>
    public double? Ioctls => meter is null ? null : (double)_ioctls / Operations;

    /// <summary>Millions of guest instructions a second; <see langword="null"/> if they are not counted.</summary>
    public double? Mips => _instructions == 0 ? null : _instructions / ((double)_ticks / Stopwatch.Frequency) / 1e6;

    /// <summary>Bytes that an operation allocates.</summary>
    public double Allocated => (double)_allocated / Operations;

    /// <summary>Runs for a time, once at least, and forgets the results: code is compiled, pages are touched.</summary>
    public void WarmUp(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            scenario.BeforeRun();
            scenario.Run();
        }
        while (Stopwatch.GetElapsedTime(start) < time);
    }

    /// <summary>Runs for a time, once at least, and keeps the results.</summary>
    public void Measure(TimeSpan time)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            MeasureOne();
        }
        while (Stopwatch.GetElapsedTime(start) < time && !Runs.IsFull);
    }

    private void MeasureOne()
    {
        if (Runs.IsFull)
        {
            return;
        }

        scenario.BeforeRun();
        KernelUse before = meter?.Read() ?? default;
        long allocated = scenario.AllocatedBytes;
        long instructions = scenario.InstructionCount ?? 0;
        long start = Stopwatch.GetTimestamp();
        scenario.Run();
        long end = Stopwatch.GetTimestamp();
        _instructions += (scenario.InstructionCount ?? 0) - instructions;
        _ticks += end - start;
        _allocated += scenario.AllocatedBytes - allocated;
        KernelUse use = (meter?.Read() ?? default).Since(before);

        Runs.Add(end - start);
        Split?.Add(end - start, use);
        _ioctls += use.Ioctls;
    }
}
