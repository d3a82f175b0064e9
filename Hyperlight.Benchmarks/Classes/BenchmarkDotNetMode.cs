using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Diagnosers;
using BenchmarkDotNet.Running;
using Hyperlight.Benchmarks.Kernel;

namespace Hyperlight.Benchmarks.Classes;

/// <summary>The benchmarks under BenchmarkDotNet.</summary>
internal static class BenchmarkDotNetMode
{
    private static readonly Type[] Benchmarks =
    [
        typeof(ExitBenchmark),
        typeof(EmptyCallBenchmark),
        typeof(AddCallBenchmark),
        typeof(HostCallsBenchmark),
        typeof(CreateBenchmark),
        typeof(CreateFromElfBenchmark),
        typeof(CreateFromSnapshotBenchmark),
        typeof(RestoreBenchmark),
        typeof(RestoreSizeBenchmark),
        typeof(SnapshotBenchmark),
        typeof(MapFileBenchmark),
        typeof(PayloadEchoBenchmark),
        typeof(PayloadOutBenchmark),
        typeof(CancelBenchmark),
        typeof(ParallelCallsBenchmark),
    ];

    public static int Run(string[] args)
    {
        if (!BenchmarkDrivers.Find(metered: false).ReportIfNone(Console.Error))
        {
            return 1;
        }

        // Without a filter BenchmarkDotNet would ask which benchmarks to run. In this process no project has to be built.
        bool selects = args.Any(a => a is "--filter" or "-f" or "--list" or "--help" or "--version");
        string[] selection = selects ? [] : ["--filter", "*"];
        ManualConfig config = ManualConfig.Create(DefaultConfig.Instance).AddDiagnoser(MemoryDiagnoser.Default);
        _ = BenchmarkSwitcher.FromTypes(Benchmarks).Run(["--inProcess", .. selection, .. args], config);
        return 0;
    }
}
