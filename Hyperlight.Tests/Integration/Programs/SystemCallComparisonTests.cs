using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Each system call has the results and the errors that it has on Linux. The commands are about one kind of calls each.</summary>
internal sealed class SystemCallComparisonTests(TestTarget target) : ProgramTest(target)
{
    private const string MemoryPolicy = "memory-policy";

    internal static readonly string[] Commands =
    [
        "path-errors", "descriptor-errors", "identities", "scheduling", "clocks", "timers", "file-times", "extended-attributes", "memory-calls",
        MemoryPolicy, "directory-calls", "owners", "permissions", "vectored-transfers", "copies", "process-attributes", "signal-calls", "waiting-calls", "socket-calls",
    ];

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [Test]
    public async Task Calls_have_the_results_of_Linux([ValueSource(nameof(Commands))] string command)
    {
        NativeProgram.Require();
        (int exitCode, string output, string error) = NativeProgram.Run(PathOf(Fixed), "", command);
        if (command == MemoryPolicy && output.StartsWith("policy -1\n", StringComparison.Ordinal))
        {
            Assert.Ignore("This system, a container, does not permit the call.");
        }

        ProgramResult result = await Run(_runner, "", command);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }
}
