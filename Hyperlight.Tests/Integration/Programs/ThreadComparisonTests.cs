using System.Globalization;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>
/// Threads of a program, their signals, futexes, locks, pipes and children have the results of Linux, in random sequences.
/// </summary>
internal sealed class ThreadComparisonTests(TestTarget target) : ProgramTest(target)
{
    /// <summary>The number of seeds, instead of a few.</summary>
    private const string CountVariable = "HYPERLIGHT_TEST_THREAD_SEQUENCES";

    private const int Operations = 1500;

    private static readonly int Count =
        int.TryParse(Environment.GetEnvironmentVariable(CountVariable), NumberStyles.None, CultureInfo.InvariantCulture, out int count) ? count : 8;

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [Test]
    public async Task A_random_sequence_of_operations_of_threads_has_the_results_of_Linux([ValueSource(nameof(Seeds))] int seed)
    {
        RequireFastKernelAfter(seed, few: 1);
        NativeProgram.Require();
        TestContext.Out.WriteLine($"seed {seed}");
        string[] arguments = ["thread-sequence", $"{seed}", $"{Operations}"];
        (int exitCode, string output, _) = NativeProgram.Run(PathOf(Fixed), "", arguments);

        ProgramResult result = await Run(_runner, "", arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(output, Does.EndWith("wrong 0\n"), "registers of a thread are its own");
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }

    private static IEnumerable<int> Seeds() => Enumerable.Range(1, Count);
}
