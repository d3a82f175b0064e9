using System.Globalization;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>The command line of the quick mode.</summary>
/// <param name="AsJson">One JSON object a line instead of a table.</param>
/// <param name="Filter">Only benchmarks whose name contains this; empty for all.</param>
/// <param name="TimePerBenchmark">How long each timed benchmark is measured.</param>
internal sealed record QuickOptions(bool AsJson, string Filter, TimeSpan TimePerBenchmark)
{
    /// <summary>The option that chooses this mode.</summary>
    public const string Switch = "--quick";

    /// <summary>How to use it.</summary>
    public const string Usage = """
        usage: Hyperlight.Benchmarks --quick [--json] [--filter NAME] [--seconds N]
          --json          one JSON object a line instead of a table
          --filter NAME   only benchmarks whose name contains NAME
          --seconds N     time for each benchmark, warm-up included (default 1)
        """;

    private const double LongestSeconds = 3600;

    /// <summary>Reads the command line.</summary>
    /// <returns>The options, or <see langword="null"/> and what is wrong with them.</returns>
    public static QuickOptions? Parse(IReadOnlyList<string> arguments, out string problem)
    {
        problem = "";
        var options = new QuickOptions(AsJson: false, Filter: "", TimeSpan.FromSeconds(1));
        for (int i = 0; i < arguments.Count; i++)
        {
            string? value = i + 1 < arguments.Count ? arguments[i + 1] : null;
            switch (arguments[i])
            {
                case Switch:
                    break;
                case "--json":
                    options = options with { AsJson = true };
                    break;
                case "--filter" when value is not null:
                    options = options with { Filter = value };
                    i++;
                    break;
                case "--seconds" when TryParseSeconds(value, out TimeSpan time):
                    options = options with { TimePerBenchmark = time };
                    i++;
                    break;
                case "--filter" or "--seconds":
                    problem = $"{arguments[i]} needs a value that makes sense.";
                    return null;
                default:
                    problem = $"There is no option {arguments[i]}.";
                    return null;
            }
        }

        return options;
    }

    private static bool TryParseSeconds(string? text, out TimeSpan time)
    {
        bool valid = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            && seconds is > 0 and <= LongestSeconds;
        time = valid ? TimeSpan.FromSeconds(seconds) : default;
        return valid;
    }
}
