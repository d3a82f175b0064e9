using System.Globalization;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>The environment variables that CONTRIBUTING.md documents.</summary>
internal static class TestSettings
{
    public const string SeedVariable = "HYPERLIGHT_TEST_SEED";
    public const string LongVariable = "HYPERLIGHT_TEST_LONG";
    public const string CountVariable = "HYPERLIGHT_TEST_COUNT";

    /// <summary>Whether random tests run for as long as it takes to be thorough.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable(LongVariable) is "1";

    /// <summary>How many executions, guests or cases: <see langword="null"/> for as many as a test of its kind has.</summary>
    public static long? Count { get; } =
        long.TryParse(Environment.GetEnvironmentVariable(CountVariable), NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count > 0 ? count : null;

    /// <summary>The first seed: from the environment, otherwise new for each run. Prints it.</summary>
    /// <param name="isReplay">Whether what the seed stands for is repeated alone: there is one, and no count.</param>
    public static ulong ChooseSeed(out bool isReplay)
    {
        bool isGiven = ulong.TryParse(
            Environment.GetEnvironmentVariable(SeedVariable), NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed);
        isReplay = isGiven && Count is null;
        if (!isGiven)
        {
            seed = (ulong)Random.Shared.NextInt64(1L << 40) << 20;
        }

        TestContext.Out.WriteLine($"{SeedVariable}={seed}");
        return seed;
    }
}
