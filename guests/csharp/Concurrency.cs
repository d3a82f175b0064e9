using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Hyperlight.Guests.CSharp;

/// <summary>Tasks, threads and what they wait for.</summary>
internal static class Concurrency
{
    [ThreadStatic]
    private static int _own;

    public static async Task<int> RunAsync()
    {
        int[] squares = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Task.Run(() => i * i)));
        Console.WriteLine(squares.Sum());

        Channel<int> channel = Channel.CreateBounded<int>(4);
        Task producer = Task.Run(async () =>
        {
            for (int i = 0; i < 200; i++)
            {
                await channel.Writer.WriteAsync(i);
                if (i % 50 == 0)
                {
                    await Task.Yield();
                }
            }

            channel.Writer.Complete();
        });
        long sum = 0;
        await foreach (int item in channel.Reader.ReadAllAsync())
        {
            sum += item;
        }

        await producer;
        Console.WriteLine(sum);

        var counts = new ConcurrentDictionary<int, int>();
        Parallel.For(0, 5000, i => counts.AddOrUpdate(i % 7, 1, (_, n) => n + 1));
        Console.WriteLine(string.Join(' ', counts.OrderBy(p => p.Key).Select(p => p.Value)));

        UseThreads();
        await UseCancellationAsync();
        try
        {
            await Task.WhenAll(Task.FromException(new ArgumentException("first")), Task.Run(static () => throw new TimeoutException("second")));
        }
        catch (ArgumentException exception)
        {
            Console.WriteLine(exception.Message);
        }

        return 4;
    }

    private static void UseThreads()
    {
        int total = 0;
        var gate = new Lock();
        using var start = new ManualResetEventSlim();
        using var places = new SemaphoreSlim(2);
        using var meeting = new Barrier(6);
        Thread[] threads = [.. Enumerable.Range(1, 6).Select(i => new Thread(() =>
        {
            start.Wait();
            for (int n = 0; n < 300; n++)
            {
                lock (gate)
                {
                    total += i;
                }

                _own++;
            }

            places.Wait();
            Thread.Sleep(2);
            places.Release();
            meeting.SignalAndWait();
            Interlocked.Add(ref total, _own);
        }))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        start.Set();
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Console.WriteLine($"{total} {_own}");
    }

    private static async Task UseCancellationAsync()
    {
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        try
        {
            await Task.Delay(TimeSpan.FromMinutes(1), source.Token);
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine("cancelled");
        }

        Task never = new TaskCompletionSource().Task;
        try
        {
            await never.WaitAsync(TimeSpan.FromMilliseconds(10));
        }
        catch (TimeoutException)
        {
            Console.WriteLine("timed out");
        }
    }
}
