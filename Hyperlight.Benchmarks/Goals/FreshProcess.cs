using System.Diagnostics;
using System.Globalization;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>This program again, in a process of its own that calls a program once.</summary>
internal static class FreshProcess
{
    /// <summary>The option by which the process knows what it is for; a driver's name and a program follow.</summary>
    public const string Switch = "--first-call";

    /// <summary>Calls the program outside of any guest.</summary>
    public const string Native = "native";

    private const int Attempts = 3;

    /// <summary>The smallest processor time of the first call over a few processes, in microseconds.</summary>
    /// <exception cref="InvalidOperationException">The process failed.</exception>
    public static double Measure(string driver, GuestProgram program) =>
        Enumerable.Range(0, Attempts).Min(_ => MeasureOnce(driver, program));

    /// <summary>What the process does.</summary>
    public static int Run(IReadOnlyList<string> arguments)
    {
        var program = Enum.Parse<GuestProgram>(arguments[2]);
        using Scenario scenario = arguments[1] == Native
            ? new NativeProgram(program)
            : new ProgramCall(BenchmarkDrivers.Find(metered: false)[arguments[1]], program);
        Console.WriteLine(FirstCall.MeasureProcessorTime(scenario).ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static double MeasureOnce(string driver, GuestProgram program)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
        {
            start.ArgumentList.Add(typeof(FreshProcess).Assembly.Location);
        }

        start.ArgumentList.Add(Switch);
        start.ArgumentList.Add(driver);
        start.ArgumentList.Add(program.ToString());
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? double.Parse(output, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"The process for {program} on {driver} ended with {process.ExitCode}.");
    }
}
