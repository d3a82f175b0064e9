using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A scenario with the least that KVM itself needs for the same as its baseline, whatever the driver is.</summary>
public abstract class KvmFloorBenchmark : FloorBenchmark
{
    private protected sealed override Scenario CreateFloor(BenchmarkDriver driver) => CreateFloor();

    private protected abstract Scenario CreateFloor();
}
