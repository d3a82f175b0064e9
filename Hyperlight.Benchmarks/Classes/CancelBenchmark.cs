using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>From the cancellation of a spinning guest to its caller's exception.</summary>
public class CancelBenchmark : ScenarioBenchmark
{
    /// <summary>A new sandbox, because a cancelled one cannot be used again.</summary>
    [IterationSetup]
    public void StartSpinning() => Scenario!.BeforeRun();

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new CancelSpinningGuest(driver);
}
