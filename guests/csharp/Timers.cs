using System.Diagnostics;

namespace Hyperlight.Guests.CSharp;

/// <summary>Timers and clocks.</summary>
internal static class Timers
{
    public static async Task<int> RunAsync()
    {
        int ticks = 0;
        using var reached = new SemaphoreSlim(0);
        await using (new Timer(_ =>
        {
            if (Interlocked.Increment(ref ticks) == 5)
            {
                reached.Release();
            }
        }, null, 1, 2))
        {
            await reached.WaitAsync();
        }

        Console.WriteLine(ticks >= 5);
        using var periodic = new PeriodicTimer(TimeSpan.FromMilliseconds(3));
        int periods = 0;
        while (periods < 4 && await periodic.WaitForNextTickAsync())
        {
            periods++;
        }

        Console.WriteLine(periods);
        long start = Stopwatch.GetTimestamp();
        DateTime before = DateTime.UtcNow;
        Thread.Sleep(30);
        Console.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds >= 29} {(DateTime.UtcNow - before).TotalMilliseconds >= 29} {Environment.TickCount64 >= 0}");
        await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Delay(20 - i)));
        return 0;
    }
}
