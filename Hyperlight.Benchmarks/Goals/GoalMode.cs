using System.Runtime.InteropServices;
using Hyperlight.Benchmarks.Kernel;
using Hyperlight.Benchmarks.Scenarios;

namespace Hyperlight.Benchmarks.Goals;

/// <summary>Measures what the emulator is to reach, and prints it as two tables of Markdown.</summary>
internal static class GoalMode
{
    /// <summary>The option that chooses this mode.</summary>
    public const string Switch = "--goals";

    /// <summary>How to use it.</summary>
    public const string Usage = """
        usage: Hyperlight.Benchmarks --goals
          The programs of the benchmark guest on every usable driver and as native code, and the figures that the emulator
          is to reach. About five minutes.
        """;

    private static readonly TimeSpan TimePerBenchmark = TimeSpan.FromSeconds(2);

    public static int Run()
    {
        BenchmarkDrivers drivers = BenchmarkDrivers.Find(metered: false);
        Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors");
        foreach (string reason in drivers.Unusable)
        {
            Console.WriteLine($"not measured: {reason}");
        }

        Console.WriteLine();
        List<ProgramFigures> programs = MeasurePrograms(drivers);
        Console.WriteLine();
        PrintGoals(new GoalFigures(drivers, programs, TimePerBenchmark).Goals());
        return 0;
    }

    private static List<ProgramFigures> MeasurePrograms(BenchmarkDrivers drivers)
    {
        Console.WriteLine("| program | driver | first call, fresh process (CPU us) | native | first call, fresh sandbox (us) | warm (us) | native (us) | ratio |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        List<ProgramFigures> all = [];
        List<string> notMeasured = [];
        foreach (GuestProgram program in Enum.GetValues<GuestProgram>())
        {
            foreach (BenchmarkDriver driver in drivers.Usable)
            {
                if (WhyNotRunnable(driver, program) is { } reason)
                {
                    notMeasured.Add($"{program} on {driver.Name}: {reason}");
                    continue;
                }

                ProgramFigures figures = ProgramFigures.Measure(driver, program, TimePerBenchmark);
                all.Add(figures);
                Console.WriteLine(
                    $"| {program} | {driver.Name} | {Goal.Text(figures.FreshProcess)} | {Goal.Text(figures.NativeFreshProcess)} "
                    + $"| {Goal.Text(figures.FreshSandbox)} | {Goal.Text(figures.Warm)} | {Goal.Text(figures.Native)} "
                    + $"| {Goal.Text(figures.WarmRatio)} |");
            }
        }

        foreach (string reason in notMeasured)
        {
            Console.WriteLine();
            Console.WriteLine($"not measured: {reason}");
        }

        return all;
    }

    /// <summary>Why a driver cannot run a program: a KVM that emulates a guest's code lacks the vector instructions.</summary>
    private static string? WhyNotRunnable(BenchmarkDriver driver, GuestProgram program)
    {
        using var call = new ProgramCall(driver, program);
        try
        {
            call.Run();
            return null;
        }
        catch (UnexpectedVmExitException exception)
        {
            return exception.Message;
        }
    }

    private static void PrintGoals(IEnumerable<Goal> goals)
    {
        Console.WriteLine("| measure | value | goal |");
        Console.WriteLine("| --- | --- | --- |");
        foreach (Goal goal in goals)
        {
            Console.WriteLine($"| {goal.Measure} | {goal.Value} | {goal.Target} |");
        }
    }
}
