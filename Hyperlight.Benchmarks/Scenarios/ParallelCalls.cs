using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>Calls on several threads at once, each with a sandbox of its own.</summary>
internal sealed class ParallelCalls : ParallelRuns
{
    private readonly MultiUseSandbox[] _sandboxes;

    public ParallelCalls(BenchmarkDriver driver, int threads)
        : base(threads)
    {
        SandboxBuilder builder = TestGuest.Builder(driver);
        _sandboxes = [.. Enumerable.Range(0, threads).Select(_ => builder.Build())];
    }

    public override void Dispose()
    {
        base.Dispose();
        Array.ForEach(_sandboxes, s => s.Dispose());
    }

    protected override void RunOne(int thread) => _ = _sandboxes[thread].Call<int>("Add", 1, 2);
}
