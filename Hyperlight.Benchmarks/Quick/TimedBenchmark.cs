using System.Diagnostics;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>Measures the time of a scenario, and in turns with it that of its floor, so that both see the same machine.</summary>
/// <param name="Name">The benchmark's name.</param>
/// <param name="Create">Prepares the scenario on a driver.</param>
/// <param name="Floor">The floor, if there is one.</param>
internal sealed record TimedBenchmark(string Name, Func<BenchmarkDriver, Scenario> Create, Floor? Floor = null) : IQuickBenchmark
{
    private const int WarmUpShare = 4;
    private const int Turns = 10;

    public Measurement Measure(BenchmarkDriver driver, TimeSpan time)
    {
        using Scenario scenario = Create(driver);
        using Scenario? floorScenario = Floor?.CreateFor(driver);
        var sampler = new Sampler(scenario, driver.Meter);
        Sampler? floorSampler = floorScenario is null ? null : new Sampler(floorScenario, null);

        sampler.WarmUp(time / WarmUpShare);
        floorSampler?.WarmUp(time / WarmUpShare);
        TimeSpan turn = time * (1.0 - (1.0 / WarmUpShare)) / Turns;
        long start = Stopwatch.GetTimestamp();
        do
        {
            sampler.Measure(turn);
            floorSampler?.Measure(turn);
        }
        while (Stopwatch.GetElapsedTime(start) < turn * Turns);

        double? floor = Floor == Floor.GuestTime
            ? sampler.Split?.Guest.Percentile(50)
            : floorSampler?.Runs.Percentile(50) / floorScenario?.OperationsPerRun;
        return Describe(driver, sampler, scenario.OperationsPerRun, floor) with
        {
            FastestFloor = Round(floorSampler?.Runs.Fastest / floorScenario?.OperationsPerRun),
        };
    }

    private Measurement Describe(BenchmarkDriver driver, Sampler sampler, int operationsPerRun, double? floor)
    {
        double median = sampler.Runs.Percentile(50) / operationsPerRun;
        return new Measurement
        {
            Name = Name,
            Driver = driver.Name,
            Count = sampler.Runs.Count,
            Fastest = Round(sampler.Runs.Fastest / operationsPerRun),
            P50 = Round(median),
            P99 = Round(sampler.Runs.Percentile(99) / operationsPerRun),
            AllocatedBytes = (long)Math.Ceiling(sampler.Allocated),
            Ioctls = Round(sampler.Ioctls),
            GuestTime = Round(sampler.Split?.Guest.Percentile(50)),
            OtherKernelTime = Round(sampler.Split?.OtherKernelCalls.Percentile(50)),
            LibraryTime = Round(sampler.Split?.Library.Percentile(50)),
            Floor = floor is null ? null : Floor?.Name,
            FloorTime = Round(floor),
            Mips = Round(sampler.Mips),
            RatioToFloor = Round(median / floor),
        };
    }

    private static double? Round(double? value) => value is { } number ? Math.Round(number, 2) : null;
}
