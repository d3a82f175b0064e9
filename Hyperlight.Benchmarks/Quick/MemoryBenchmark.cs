using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>
/// How much private memory the process gains for each sandbox that was called once and now waits. Memory of the kernel,
/// such as a machine's page tables, is not a part of it.
/// </summary>
internal sealed record MemoryBenchmark(int Sandboxes) : IQuickBenchmark
{
    public string Name => $"memory-{Sandboxes}";

    public Measurement Measure(BenchmarkDriver driver, TimeSpan time)
    {
        SandboxBuilder builder = TestGuest.Builder(driver);

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
