using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A sandbox made ready for calls from a parsed ELF, and disposed.</summary>
public class CreateFromElfBenchmark : KvmFloorBenchmark
{
    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => CreateSandbox.FromElf(driver);

    private protected override Scenario CreateFloor() => new BareCreate();
}
