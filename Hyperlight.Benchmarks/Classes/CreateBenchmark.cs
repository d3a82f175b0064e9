using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A sandbox built from a parsed ELF, called once, and disposed.</summary>
public class CreateBenchmark : KvmFloorBenchmark
{
    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new CreateCallDispose(driver);

    private protected override Scenario CreateFloor() => new BareCreate();
}
