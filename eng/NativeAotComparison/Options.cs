using System.Globalization;
using Hyperlight.Tests.Emulator.Differential;

namespace Hyperlight.Tests;

/// <summary>The command line.</summary>
/// <param name="Names">The comparisons to run.</param>
/// <param name="Seed">The first seed, otherwise each comparison chooses one.</param>
/// <param name="Count">How many executions, guests or cases each has.</param>
internal sealed record Options(IReadOnlyList<string> Names, ulong? Seed, long? Count)
{
    /// <summary>How to call the program.</summary>
    public static string Usage(IEnumerable<string> names) =>
        $"Usage: Hyperlight.Tests [--seed N] [--count N] [NAME...]\nNames: {string.Join(' ', names)}. Without one, all are run.";

    /// <returns><see langword="null"/> if there is an argument that means nothing.</returns>
    public static Options? Parse(string[] arguments, IReadOnlyCollection<string> known)
    {
        var options = new Options([], null, null);
        for (int i = 0; i < arguments.Length; i++)
        {
            string next = i + 1 < arguments.Length ? arguments[i + 1] : "";
            if (arguments[i] == "--seed" && ulong.TryParse(next, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
            {
                options = options with { Seed = seed };
                i++;
            }
            else if (arguments[i] == "--count" && long.TryParse(next, NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count > 0)
            {
                options = options with { Count = count };
                i++;
            }
            else if (known.Contains(arguments[i]))
            {
                options = options with { Names = [.. options.Names, arguments[i]] };
            }
            else
            {
                return null;
            }
        }

        return options.Names.Count == 0 ? options with { Names = [.. known] } : options;
    }

    /// <summary>Passes seed and count on to the tests, which read them from the environment when they need them first.</summary>
    public void Apply()
    {
        if (Seed is { } seed)
        {
            Environment.SetEnvironmentVariable(TestSettings.SeedVariable, seed.ToString(CultureInfo.InvariantCulture));
        }

        if (Count is { } count)
        {
            Environment.SetEnvironmentVariable(TestSettings.CountVariable, count.ToString(CultureInfo.InvariantCulture));
        }
    }
}
