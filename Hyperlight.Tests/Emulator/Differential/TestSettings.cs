using System.Globalization;

namespace Hyperlight.Tests.Emulator.Differential;

/// <summary>The environment variables that CONTRIBUTING.md documents.</summary>
internal static class TestSettings
{
    public const string SeedVariable = "HYPERLIGHT_TEST_SEED";
    public const string LongVariable = "HYPERLIGHT_TEST_LONG";

    /// <summary>Whether random tests run for as long as it takes to be thorough.</summary>
    public static bool IsLong { get; } = Environment.GetEnvironmentVariable(LongVariable) is "1";

    /// <summary>The first seed: from the environment to replay, otherwise new for each run. Prints it.</summary>
    public static ulong ChooseSeed(out bool isReplay)
    {
        isReplay = ulong.TryParse(
            Environment.GetEnvironmentVariable(SeedVariable), NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed);
        if (!isReplay)
        {
            seed = (ulong)Random.Shared.NextInt64(1L << 40) << 20;
        }

        TestContext.Out.WriteLine($"{SeedVariable}={seed}");
        return seed;
    }
}
