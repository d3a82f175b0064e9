using System.Runtime.CompilerServices;

namespace Hyperlight.Guests.CSharp;

/// <summary>The garbage collector, with several threads that allocate.</summary>
internal static class Collector
{
    private static int _finalized;

    private sealed class Finalized
    {
        ~Finalized() => Interlocked.Increment(ref _finalized);
    }

    public static int Run()
    {
        long[] sums = new long[4];
        Thread[] threads = [.. Enumerable.Range(0, sums.Length).Select(i => new Thread(() => sums[i] = Allocate(i + 1)))];
        foreach (Thread thread in threads)
        {
            thread.Start();
        }

        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        Console.WriteLine(string.Join(' ', sums));
        WeakReference weak = CreateGarbage();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Console.WriteLine($"{weak.IsAlive} {_finalized} {GC.CollectionCount(0) > 0} {GC.CollectionCount(2) > 0} {GC.GetTotalMemory(true) < 20_000_000}");
        byte[] pinned = GC.AllocateArray<byte>(100_000, pinned: true);
        byte[][] large = [.. Enumerable.Range(0, 20).Select(static _ => new byte[1 << 20])];
        Console.WriteLine($"{GC.GetGeneration(large[3])} {pinned.Length} {large.Sum(static b => (long)b.Length)}");
        return 1;
    }

    /// <summary>Allocates until there is no memory, which is an exception, and goes on.</summary>
    public static int UseUp()
    {
        var kept = new List<byte[]>();
        try
        {
            while (true)
            {
                byte[] block = new byte[4 << 20];
                block.AsSpan().Fill(1);
                kept.Add(block);
            }
        }
        catch (OutOfMemoryException)
        {
            int count = kept.Count;
            kept.Clear();
            Console.WriteLine($"out of memory after {(count > 2 ? "several" : "few")} blocks");
        }

        return 5;
    }

    private static long Allocate(int seed)
    {
        var kept = new Dictionary<int, string>();
        long sum = 0;
        for (int i = 0; i < 20_000; i++)
        {
            kept[i % 500] = $"{seed}-{i}";
            sum += kept[i % 500].Length + new int[(i % 50) + 1].Length;
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference CreateGarbage()
    {
        for (int i = 0; i < 100; i++)
        {
            _ = new Finalized();
        }

        return new WeakReference(new object());
    }
}
