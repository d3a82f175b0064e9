using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>Calls on several threads at once, each with a sandbox of its own: time per call.</summary>
public class ParallelCallsBenchmark : ScenarioBenchmark
{
    /// <summary>How many threads.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    /// <summary>The operation.</summary>
    [Benchmark(OperationsPerInvoke = ParallelRuns.Operations)]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new ParallelCalls(driver, Threads);
}
