using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>
/// How much private memory the process gains for each sandbox that was called once and now waits. Memory of the kernel,
/// such as a machine's page tables, is not a part of it.
/// </summary>
/// <param name="Sandboxes">How many there are at once.</param>
/// <param name="FromSnapshot">Whether they start from one snapshot; otherwise from one ELF.</param>
internal sealed record MemoryBenchmark(int Sandboxes, bool FromSnapshot) : IQuickBenchmark
{
    /// <summary>What a sandbox should stay below, in bytes.</summary>
    public const int Target = 400 << 10;

    /// <summary>How many sandboxes, by default.</summary>
    public static IReadOnlyList<int> Counts { get; } = [1, 10, 100];

    public string Name => FromSnapshot ? $"memory-snapshot-{Sandboxes}" : $"memory-{Sandboxes}";

    public Measurement Measure(BenchmarkDriver driver, TimeSpan time)
    {
        SandboxBuilder builder = TestGuest.Builder(driver);
        using Snapshot? snapshot = FromSnapshot ? TestGuest.TakeSnapshot(driver) : null;
        if (snapshot is not null)
        {
            builder.WithSnapshot(snapshot);
        }

        // What the first sandbox of a process brings with it, such as compiled code, does not count.
        Create(builder).Dispose();
        var sandboxes = new MultiUseSandbox[Sandboxes];
        long before = Settled();
        for (int i = 0; i < sandboxes.Length; i++)
        {
            sandboxes[i] = Create(builder);
        }

        long after = Settled();
        Array.ForEach(sandboxes, s => s.Dispose());
        return new Measurement
        {
            Name = Name,
            Driver = driver.Name,
            Count = Sandboxes,
            PrivateBytesPerSandbox = (after - before) / Sandboxes,
        };
    }

    private static MultiUseSandbox Create(SandboxBuilder builder)
    {
        MultiUseSandbox sandbox = builder.Build();
        _ = sandbox.Call<int>("Add", 1, 2);
        return sandbox;
    }

    /// <summary>Private memory once the garbage collector has given back what it can.</summary>
    private static long Settled()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return PrivateMemory.Read();
    }
}
