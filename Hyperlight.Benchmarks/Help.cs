using Hyperlight.Benchmarks.Goals;
using Hyperlight.Benchmarks.Pauses;
using Hyperlight.Benchmarks.Quick;

namespace Hyperlight.Benchmarks;

/// <summary>How to use this program.</summary>
internal static class Help
{
    private static readonly string Text = $"""
        Measures the operations of a sandbox on every driver that is usable. There are four modes.

        {QuickOptions.Usage}
        Every benchmark with its floor, about a minute for each driver. There are:
          {string.Join(", ", QuickCatalog.All.Select(b => b.Name))}

        {GoalMode.Usage}

        {PauseMode.Usage}

        usage: Hyperlight.Benchmarks --filter PATTERN [options of BenchmarkDotNet]
          --filter '*'        all benchmarks of BenchmarkDotNet, which takes long
          --filter '*Call*'   those with Call in their name
          --list flat         their names
          --help              this text and the options of BenchmarkDotNet
        """;

    /// <summary>Whether this text is all that is asked for.</summary>
    public static bool IsWanted(string[] arguments) =>
        arguments.Length == 0 || (arguments.Contains(QuickOptions.Switch) && AsksForHelp(arguments));

    /// <summary>Whether the command line has a switch for help.</summary>
    public static bool AsksForHelp(string[] arguments) => arguments.Any(a => a is "--help" or "-h" or "-?");

    public static int Print()
    {
        Console.WriteLine(Text);
        return 0;
    }
}
