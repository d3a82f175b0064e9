using System.Globalization;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Many short runs that do anything at random: the kernel never fails, and the next run finds nothing of the last.</summary>
internal sealed class HostileRunTests(TestTarget target) : ProgramTest(target)
{
    /// <summary>How many runs there are. A hundred thousand take about a quarter of an hour on the emulator.</summary>
    public const string CountVariable = "HYPERLIGHT_TEST_HOSTILE_RUNS";

    /// <summary>The seed of the first run, to repeat it.</summary>
    public const string SeedVariable = "HYPERLIGHT_TEST_HOSTILE_SEED";

    private const int RunsBetweenChecks = 20;

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(
        Fixed, new ProgramLimits { Memory = 16 << 20, Output = 1 << 16, Time = TimeSpan.FromSeconds(IsEmulatingKvm ? 10 : 2) });

    [Test]
    public async Task The_kernel_survives_and_nothing_is_left()
    {
        int count = Number(CountVariable) ?? (IsEmulatingKvm ? 20 : 200);
        int first = Number(SeedVariable) ?? Random.Shared.Next(int.MaxValue - count);
        TestContext.Out.WriteLine($"{SeedVariable}={first} {CountVariable}={count}");
        string clean = await Residue();
        Assert.That(clean, Does.StartWith("selector"));
        var ends = new SortedDictionary<string, int>();
        for (int i = 0; i < count; i++)
        {
            string[] arguments = Arguments(i, $"{first + i}");
            string run = string.Join(' ', arguments);
            ProgramResult result = await Try(() => Run(_runner, "some input", arguments), run);
            string end = $"{arguments[0]} {result.End}";
            ends[end] = ends.GetValueOrDefault(end) + 1;
            if ((i + 1) % RunsBetweenChecks == 0)
            {
                Assert.That(await Residue(), Is.EqualTo(clean), $"in one of the {RunsBetweenChecks} runs to '{run}'");
            }
        }

        TestContext.Out.WriteLine(string.Join(", ", ends.Select(static end => $"{end.Key}: {end.Value}")));
        Assert.That(ends.Values.Sum(), Is.EqualTo(count));
    }

    private static string[] Arguments(int run, string seed) => (run % 4, run % 200) switch
    {
        (_, 100) => ["random-threads", seed],
        (0, _) => ["random-calls", seed, "60"],
        (1, _) => ["random-frames", seed, "20"],
        (2, _) => ["storm", seed, "4"],
        _ => ["random-calls", seed, "25"],
    };

    private static async Task<ProgramResult> Try(Func<Task<ProgramResult>> start, string run)
    {
        try
        {
            return await start();
        }
        catch (HyperlightException exception)
        {
            throw new AssertionException($"'{run}': {exception.Message}", exception);
        }
    }

    /// <summary>What a program finds in the machine. Where other tests take all processors, it may not come to its end.</summary>
    private async Task<string> Residue()
    {
        const int Attempts = 10;
        ProgramResult result = await Run(_runner, "", "residue");
        for (int i = 1; i < Attempts && result.End == ProgramEnd.TimeLimit; i++)
        {
            result = await Run(_runner, "", "residue");
        }

        Assert.That(result.End, Is.EqualTo(ProgramEnd.Exited));
        return result.StandardOutput;
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : null;
}
