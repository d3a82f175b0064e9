using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>A file mapped into a running sandbox, and unmapped.</summary>
public class MapFileBenchmark : FloorBenchmark
{
    /// <summary>The values of <see cref="Size"/>.</summary>
    public static IEnumerable<long> Sizes => MapFile.Sizes;

    /// <summary>Bytes of the file.</summary>
    [ParamsSource(nameof(Sizes))]
    public long Size { get; set; }

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => new MapFile(driver, Size);

    private protected override Scenario CreateFloor(BenchmarkDriver driver) => new BareMapFile(driver, Size);
}
