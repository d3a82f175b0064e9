using System.Globalization;

namespace Hyperlight.Tests.Soak;

/// <summary>What the soak is asked to do.</summary>
/// <param name="Time">How long it runs; the last round may end a little later.</param>
/// <param name="Driver">A name of <see cref="SoakDrivers"/>.</param>
/// <param name="Threads">How many threads use sandboxes.</param>
/// <param name="Seed">Where the choices of the threads start. The same seed makes the same choices; what coincides differs.</param>
internal sealed record SoakOptions(TimeSpan Time, string Driver, int Threads, int Seed)
{
    /// <summary>The first word of the command line.</summary>
    public const string Command = "soak";

    public const string Usage = """
        usage: Hyperlight.Tests soak [--minutes N] [--driver NAME] [--threads N] [--seed N]
          --minutes N     how long (default 1; fractions are allowed)
          --driver NAME   kvm, emulator, interpreter, translator or "machine code" (default emulator)
          --threads N     1 to 64 (default 4)
          --seed N        repeats the choices of an earlier run (default: a random one, which is printed)
        """;

    private const int FewestRounds = 6;
    private const double LongestMinutes = 7 * 24 * 60;
    private const int MostThreads = 64;
    private static readonly TimeSpan LongestRound = TimeSpan.FromMinutes(1);

    /// <summary>How long the threads work before they rest and everything is counted.</summary>
    public TimeSpan Round => Time / FewestRounds < LongestRound ? Time / FewestRounds : LongestRound;

    /// <summary>How many rounds there are.</summary>
    public int Rounds => (int)Math.Round(Time / Round);

    /// <summary>Reads the command line, without the command.</summary>
    /// <returns>The options, or <see langword="null"/> and what is wrong with them.</returns>
    public static SoakOptions? Parse(ReadOnlySpan<string> arguments, out string problem)
    {
        var options = new SoakOptions(TimeSpan.FromMinutes(1), "emulator", 4, Random.Shared.Next());
        for (int i = 0; i < arguments.Length; i += 2)
        {
            string? value = i + 1 < arguments.Length ? arguments[i + 1] : null;
            SoakOptions? next = arguments[i] switch
            {
                "--minutes" when TryParseMinutes(value, out TimeSpan time) => options with { Time = time },
                "--driver" when SoakDrivers.Names.Contains(value) => options with { Driver = value! },
                "--threads" when TryParse(value, out int threads) && threads is > 0 and <= MostThreads => options with { Threads = threads },
                "--seed" when TryParse(value, out int seed) => options with { Seed = seed },
                _ => null,
            };
            if (next is null)
            {
                problem = $"There is no option '{arguments[i]} {value}'.";
                return null;
            }

            options = next;
        }

        problem = "";
        return options;
    }

    private static bool TryParse(string? text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    private static bool TryParseMinutes(string? text, out TimeSpan time)
    {
        bool valid = double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double minutes)
            && minutes is > 0 and <= LongestMinutes;
        time = valid ? TimeSpan.FromMinutes(minutes) : default;
        return valid;
    }
}
