using System.Diagnostics;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>Measures the first call of a program.</summary>
internal static class FirstCall
{
    private const int Sandboxes = 9;

    /// <summary>The processor time of the process, compilation in the background included, in microseconds.</summary>
    public static double MeasureProcessorTime(Scenario scenario)
    {
        TimeSpan before = Environment.CpuUsage.TotalTime;
        scenario.Run();
        return (Environment.CpuUsage.TotalTime - before).TotalMicroseconds;
    }

    /// <summary>The shortest time of the first call in a fresh sandbox, after others of this process have run the program, in microseconds.</summary>
    public static double MeasureInFreshSandboxes(BenchmarkDriver driver, GuestProgram program)
    {
        double shortest = double.MaxValue;
        for (int i = 0; i < Sandboxes; i++)
        {
            using var scenario = new ProgramCall(driver, program);
            long start = Stopwatch.GetTimestamp();
            scenario.Run();
            shortest = Math.Min(shortest, Stopwatch.GetElapsedTime(start).TotalMicroseconds);
        }

        return shortest;
    }
}
