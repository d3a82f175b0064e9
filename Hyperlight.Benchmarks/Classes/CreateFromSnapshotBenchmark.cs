using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A sandbox made ready for calls from a snapshot, and disposed.</summary>
public class CreateFromSnapshotBenchmark : KvmFloorBenchmark
{
    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => CreateSandbox.FromSnapshot(driver);

    private protected override Scenario CreateFloor() => new BareCreate();
}
