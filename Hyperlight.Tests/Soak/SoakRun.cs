using System.Diagnostics;
using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Soak;

/// <summary>
/// Threads that use sandboxes in every way at once, round after round. After each round they have given up everything, and
/// what the process holds is counted.
/// </summary>
internal sealed class SoakRun(SoakOptions options, IHypervisor hypervisor, TextWriter output)
{
    /// <summary>Far longer than any action takes: it finds a guest that cannot be stopped.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How long the threads work before anything is counted: the code that every run needs is compiled then, by the runtime and
    /// by the emulator.
    /// </summary>
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(5);

    private readonly List<SoakSample> _samples = [];

    /// <summary>How often each thing was done.</summary>
    private readonly Dictionary<string, int> _done = [];

    /// <summary>Runs all rounds.</summary>
    /// <exception cref="SoakFailure">An answer was wrong, a thread did not come to its end, or something was not flat.</exception>
    public void Run()
    {
        output.WriteLine($"soak: {options.Time} on {options.Driver}, {options.Threads} threads, seed {options.Seed}");
        var seeds = new Random(options.Seed);
        using var scene = new SoakScene(hypervisor, options.Seed);
        RunRound(scene, seeds, WarmUp);
        long start = Stopwatch.GetTimestamp();
        for (int round = 0; round < options.Rounds; round++)
        {
            RunRound(scene, seeds, options.Round);
            SoakSample sample = SoakSample.Take();
            _samples.Add(sample);
            output.WriteLine($"{Stopwatch.GetElapsedTime(start):hh\\:mm\\:ss}: {_done.Values.Sum()} actions, {sample}");
        }

        output.WriteLine(string.Join(", ", _done.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => $"{d.Key} {d.Value}")));
        if (Flatness.Growth(_samples) is { Count: > 0 } growth)
        {
            throw new SoakFailure($"Not flat: {string.Join("; ", growth)}.");
        }
    }

    /// <summary>In a method of its own, so that no local variable keeps alive what the threads have dropped.</summary>
    private void RunRound(SoakScene scene, Random seeds, TimeSpan time)
    {
        using var stop = new CancellationTokenSource();
        Exception? failure = null;
        SoakWorker[] workers =
            [.. Enumerable.Range(0, options.Threads).Select(number => new SoakWorker(scene, number, seeds.Next()))];
        Thread[] threads = [.. workers.Select(worker => new Thread(() =>
        {
            try
            {
                worker.Work(time, stop.Token);
            }
            catch (SoakFailure exception)
            {
                Interlocked.CompareExchange(ref failure, exception, null);
                stop.Cancel();
            }
        })
        { IsBackground = true })];
        Array.ForEach(threads, static t => t.Start());
        long end = Stopwatch.GetTimestamp() + (long)((time + Patience).TotalSeconds * Stopwatch.Frequency);
        for (int i = 0; i < threads.Length; i++)
        {
            TimeSpan left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), end);
            if (!threads[i].Join(left > TimeSpan.Zero ? left : TimeSpan.Zero))
            {
                throw failure ?? new SoakFailure($"Thread {i} does not come to an end; it was to {workers[i].CurrentAction}.");
            }
        }

        if (failure is not null)
        {
            throw failure;
        }

        foreach ((string name, int count) in workers.SelectMany(w => w.Done))
        {
            _done[name] = _done.GetValueOrDefault(name) + count;
        }

        scene.DropShared();
    }
}
