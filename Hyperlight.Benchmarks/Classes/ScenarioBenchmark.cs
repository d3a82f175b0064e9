using BenchmarkDotNet.Attributes;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>Runs a scenario under BenchmarkDotNet, on each driver that can be used.</summary>
public abstract class ScenarioBenchmark
{
    private static readonly BenchmarkDrivers AllDrivers = BenchmarkDrivers.Find(metered: false);

    /// <summary>The usable drivers.</summary>
    public static IEnumerable<string> Drivers => AllDrivers.Usable.Select(d => d.Name);

    /// <summary>The driver under the sandbox.</summary>
    [ParamsSource(nameof(Drivers))]
    public string Driver { get; set; } = "";

    /// <summary>The driver of that name.</summary>
    private protected BenchmarkDriver SelectedDriver => AllDrivers[Driver];

    /// <summary>The prepared scenario.</summary>
    private protected Scenario? Scenario { get; set; }

    /// <summary>Prepares the scenario.</summary>
    [GlobalSetup]
    public void Prepare() => Scenario = Create(SelectedDriver);

    /// <summary>Gives back what it holds.</summary>
    [GlobalCleanup]
    public void Release() => Scenario?.Dispose();

    private protected abstract Scenario Create(BenchmarkDriver driver);
}
