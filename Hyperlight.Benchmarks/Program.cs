using Hyperlight.Benchmarks.Classes;
using Hyperlight.Benchmarks.Quick;

return args.Contains(QuickOptions.Switch) ? QuickMode.Run(args) : BenchmarkDotNetMode.Run(args);
