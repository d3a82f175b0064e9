using System.Runtime.InteropServices;
using Hyperlight.Benchmarks.Goals;
using Hyperlight.Benchmarks.Scenarios;
using Hyperlight.Emulator;

namespace Hyperlight.Benchmarks.Pauses;

/// <summary>Measures for how long garbage collections stop the threads of this process while guests of the emulator compute.</summary>
internal static class PauseMode
{
    /// <summary>The option that chooses this mode.</summary>
    public const string Switch = "--pauses";

    /// <summary>How to use it.</summary>
    public const string Usage = """
        usage: Hyperlight.Benchmarks --pauses
          Pauses of forced garbage collections without guests, with guests that spin in emitted code, with guests that are
          interpreted, and with threads that spin without a guest. A few seconds.
        """;

    /// <summary>In turns, so that all see the same machine.</summary>
    private const int Turns = 30;
    private const int CollectionsPerTurn = 10;

    public static int Run()
    {
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors");
        Console.WriteLine();
        List<PauseFigures> all = [new("nothing", 0, static () => throw new InvalidOperationException("Nothing runs."))];
        foreach (int threads in new SortedSet<int> { 1, Environment.ProcessorCount })
        {
            all.Add(new("guests in emitted code", threads, static () => new SpinningGuest(new EmulatorOptions())));
            all.Add(new("nothing, but machines of such guests", threads, static () => SpinningGuest.Stopped(new EmulatorOptions())));
            all.Add(new("interpreted guests", threads, static () => new SpinningGuest(new EmulatorOptions { TranslateHotCode = false })));
            all.Add(new("threads in managed code", threads, SpinningThread.InManagedCode));
            if (NativeFunction.IsPossible)
            {
                all.Add(new("threads in native code", threads, SpinningThread.InNativeCode));
            }
        }

        // What the first collections of a process compile does not count.
        all.ForEach(static f => f.Measure(1));
        all.ForEach(static f => f.Clear());
        for (int i = 0; i < Turns; i++)
        {
            all.ForEach(static f => f.Measure(CollectionsPerTurn));
        }

        Console.WriteLine("| what spins | how many | collections | pause, shortest (us) | middle | 99 % | longest | `GC.Collect`, middle (us) | longest |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (PauseFigures figures in all)
        {
            Console.WriteLine(
                $"| {figures.Name} | {figures.Threads} | {figures.Pauses.Count} | {Goal.Text(figures.Pauses.Fastest)} "
                + $"| {Goal.Text(figures.Pauses.Percentile(50))} | {Goal.Text(figures.Pauses.Percentile(99))} | {Goal.Text(figures.Pauses.Percentile(100))} "
                + $"| {Goal.Text(figures.Calls.Percentile(50))} | {Goal.Text(figures.Calls.Percentile(100))} |");
        }

        return 0;
    }
}
