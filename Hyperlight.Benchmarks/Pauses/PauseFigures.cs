using System.Diagnostics;
using Hyperlight.Benchmarks.Quick;

namespace Hyperlight.Benchmarks.Pauses;

/// <summary>The pauses of collections while something spins.</summary>
/// <param name="Name">What spins.</param>
/// <param name="Threads">How many of it.</param>
/// <param name="Start">Starts one of it, which spins when this returns.</param>
internal sealed record PauseFigures(string Name, int Threads, Func<IDisposable> Start)
{
    private const int MostCollections = 1000;

    /// <summary>For how long the runtime says that it stopped the threads, the time to stop them included.</summary>
    public Distribution Pauses { get; private set; } = new(MostCollections);

    /// <summary>How long the thread that asked for the collection waited.</summary>
    public Distribution Calls { get; private set; } = new(MostCollections);

    /// <summary>Forgets what was measured.</summary>
    public void Clear()
    {
        Pauses = new Distribution(MostCollections);
        Calls = new Distribution(MostCollections);
    }

    /// <summary>Collects a number of times while they spin.</summary>
    public void Measure(int collections)
    {
        Stack<IDisposable> spinning = [];
        try
        {
            for (int i = 0; i < Threads; i++)
            {
                spinning.Push(Start());
            }

            for (int i = 0; i < collections; i++)
            {
                Collect();
            }
        }
        finally
        {
            while (spinning.TryPop(out IDisposable? one))
            {
                one.Dispose();
            }
        }
    }

    private void Collect()
    {
        TimeSpan before = GC.GetTotalPauseDuration();
        long start = Stopwatch.GetTimestamp();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true);
        long end = Stopwatch.GetTimestamp();
        TimeSpan pause = GC.GetTotalPauseDuration() - before;
        Calls.Add(end - start);
        Pauses.Add((long)(pause.TotalSeconds * Stopwatch.Frequency));
    }
}
