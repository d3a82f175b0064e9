using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A snapshot of a sandbox of a size.</summary>
public class SnapshotBenchmark : FloorBenchmark
{
    /// <summary>The values of <see cref="Size"/>.</summary>
    public static IEnumerable<int> Sizes => SnapshotGuest.Sizes;

    /// <summary>Bytes of the image.</summary>
    [ParamsSource(nameof(Sizes))]
    public int Size { get; set; }

    /// <summary>A call, and the end of the last snapshot, which are not measured.</summary>
    [IterationSetup]
    public void BeforeRun() => Scenario!.BeforeRun();

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new TakeSnapshot(driver, new SnapshotGuest(0, Size));

    private protected override Scenario CreateFloor(BenchmarkDriver driver) => new BareCopy(driver, new SnapshotGuest(0, Size));
}
