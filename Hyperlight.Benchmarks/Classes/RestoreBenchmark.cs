using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A sandbox goes back to a snapshot after a call that touched a number of pages.</summary>
public class RestoreBenchmark : FloorBenchmark
{
    /// <summary>The values of <see cref="Pages"/>.</summary>
    public static IEnumerable<int> Touches => SnapshotGuest.Touches;

    /// <summary>How many pages, besides those that every call touches.</summary>
    [ParamsSource(nameof(Touches))]
    public int Pages { get; set; }

    /// <summary>The call, which is not measured.</summary>
    [IterationSetup]
    public void BeforeRun() => Scenario!.BeforeRun();

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new RestoreSandbox(driver, new SnapshotGuest(Pages));

    private protected override Scenario CreateFloor(BenchmarkDriver driver) => new BareRestore(driver, new SnapshotGuest(Pages));
}
