using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>One line of the quick mode.</summary>
internal interface IQuickBenchmark
{
    /// <summary>The name, by which it can be selected.</summary>
    string Name { get; }

    /// <summary>Measures it on one driver.</summary>
    /// <param name="driver">The driver.</param>
    /// <param name="time">How long to measure, where time is what is measured.</param>
    Measurement Measure(BenchmarkDriver driver, TimeSpan time);
}
