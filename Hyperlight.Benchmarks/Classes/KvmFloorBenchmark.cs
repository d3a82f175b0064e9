using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A scenario with the least that KVM itself needs for the same as its baseline, whatever the driver is.</summary>
public abstract class KvmFloorBenchmark : ScenarioBenchmark
{
    /// <summary>Prepares the floor instead of the scenario.</summary>
    [GlobalSetup(Target = nameof(Floor))]
    public void PrepareFloor() => Scenario = CreateFloor();

    /// <summary>The floor.</summary>
    [Benchmark(Baseline = true)]
    public void Floor() => Scenario!.Run();

    private protected abstract Scenario CreateFloor();
}
