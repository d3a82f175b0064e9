using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>Into the guest and out again at its next instruction.</summary>
public class ExitBenchmark : KvmFloorBenchmark
{
    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new ExitRoundTrip(driver);

    private protected override Scenario CreateFloor() => new BareExit();
}
