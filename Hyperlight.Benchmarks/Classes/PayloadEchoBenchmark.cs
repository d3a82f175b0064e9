using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>Bytes into the guest, and the same bytes out again.</summary>
public class PayloadEchoBenchmark : ScenarioBenchmark
{
    /// <summary>The sizes, in bytes.</summary>
    public static IEnumerable<int> Sizes => PayloadSizes.All;

    /// <summary>How many bytes.</summary>
    [ParamsSource(nameof(Sizes))]
    public int Size { get; set; }

    /// <summary>The operation.</summary>
    [Benchmark]
    public void Run() => Scenario!.Run();

    private protected override Scenario Create(BenchmarkDriver driver) => PayloadCall.Echo(driver, Size);
}
