using Hyperlight.Benchmarks;
using Hyperlight.Benchmarks.Classes;
using Hyperlight.Benchmarks.Goals;
using Hyperlight.Benchmarks.Pauses;
using Hyperlight.Benchmarks.Quick;

if (Help.IsWanted(args))
{
    return Help.Print();
}

if (Help.AsksForHelp(args))
{
    // BenchmarkDotNet prints its own options, and does not know of the quick mode.
    _ = Help.Print();
}

if (args is [FreshProcess.Switch, _, _])
{
    return FreshProcess.Run(args);
}

if (args is [GoalMode.Switch])
{
    return GoalMode.Run();
}

if (args is [PauseMode.Switch])
{
    return PauseMode.Run();
}

return args.Contains(QuickOptions.Switch) ? QuickMode.Run(args) : BenchmarkDotNetMode.Run(args);
