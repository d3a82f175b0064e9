using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A warm call whose guest function calls a host function.</summary>
public class HostCallsBenchmark : ScenarioBenchmark
{
    /// <summary>How many times.</summary>
    [Params(1, 10, 100)]
    public int HostCalls { get; set; }

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => WarmCall.WithHostCalls(driver, HostCalls);
}
