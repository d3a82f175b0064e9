using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A scenario with the least that it needs on the driver as its baseline.</summary>
public abstract class FloorBenchmark : ScenarioBenchmark
{
    /// <summary>Prepares the floor instead of the scenario.</summary>
    [GlobalSetup(Target = nameof(Floor))]
    public void PrepareFloor() => Scenario = CreateFloor(SelectedDriver);

    /// <summary>The floor.</summary>
    [Benchmark(Baseline = true)]
    public void Floor() => Scenario!.Run();

    private protected abstract Scenario CreateFloor(BenchmarkDriver driver);
}
