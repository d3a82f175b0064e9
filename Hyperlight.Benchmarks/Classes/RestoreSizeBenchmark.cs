using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A sandbox of a size goes back to a snapshot after a call that touched what every call does.</summary>
public class RestoreSizeBenchmark : FloorBenchmark
{
    /// <summary>The values of <see cref="Size"/>.</summary>
    public static IEnumerable<int> Sizes => SnapshotGuest.Sizes;

    /// <summary>Bytes of the image, and of scratch memory.</summary>
    [ParamsSource(nameof(Sizes))]
    public int Size { get; set; }

    /// <summary>The call, which is not measured.</summary>
    [IterationSetup]
    public void BeforeRun() => Scenario!.BeforeRun();

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new RestoreSandbox(driver, new SnapshotGuest(0, Size));

    private protected override Scenario CreateFloor(BenchmarkDriver driver) => new BareRestore(driver, new SnapshotGuest(0, Size));
}
