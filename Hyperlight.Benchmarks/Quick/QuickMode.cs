using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>Every benchmark in about half a minute, one line each.</summary>
internal static class QuickMode
{
    private const int Success = 0;
    private const int Failure = 1;
    private const int WrongUsage = 2;

    public static int Run(IReadOnlyList<string> arguments)
    {
        if (QuickOptions.Parse(arguments, out string problem) is not { } options)
        {
            return Refuse(problem);
        }

        List<IQuickBenchmark> benchmarks =
            [.. QuickCatalog.All.Where(b => b.Name.Contains(options.Filter, StringComparison.OrdinalIgnoreCase))];
        if (benchmarks.Count == 0)
        {
            string known = string.Join(", ", QuickCatalog.All.Select(b => b.Name));
            return Refuse($"No benchmark has '{options.Filter}' in its name. There are: {known}.");
        }

        BenchmarkDrivers drivers = BenchmarkDrivers.Find(metered: true);
        return drivers.ReportIfNone(Console.Error) && Measure(drivers, benchmarks, options) ? Success : Failure;
    }

    private static bool Measure(BenchmarkDrivers drivers, List<IQuickBenchmark> benchmarks, QuickOptions options)
    {
        IReport report = options.AsJson ? new JsonReport(Console.Out) : new TableReport(Console.Out);
        report.Begin(drivers.Unusable);
        bool complete = true;
        foreach (BenchmarkDriver driver in drivers.Usable)
        {
            foreach (IQuickBenchmark benchmark in benchmarks)
            {
                try
                {
                    report.Add(benchmark.Measure(driver, options.TimePerBenchmark));
                }
                catch (Exception exception) when (exception is HyperlightException or IOException)
                {
                    complete = false;
                    Console.Error.WriteLine($"{benchmark.Name} on {driver.Name}: {exception.Message}");
                }
            }
        }

        report.End();
        return complete;
    }

    private static int Refuse(string problem)
    {
        Console.Error.WriteLine(problem);
        Console.Error.WriteLine(QuickOptions.Usage);
        return WrongUsage;
    }
}
