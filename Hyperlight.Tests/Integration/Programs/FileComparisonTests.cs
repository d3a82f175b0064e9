using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>
/// Files and memory of a program behave as on Linux: each system call with its errors, mappings, devices, and random sequences.
/// </summary>
internal sealed class FileComparisonTests(TestTarget target) : ProgramTest(target)
{
    private const int Operations = 1500;

    internal static readonly string[] Commands =
        ["file-calls", "file-mappings", "memory-areas", "named-pipes", "record-locks", "resource-limits", "system-files"];

    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [Test]
    public async Task System_calls_of_files_have_the_results_of_Linux([ValueSource(nameof(Commands))] string command) => await Compare(command);

    [Test]
    public async Task A_random_sequence_of_file_operations_has_the_results_of_Linux([Range(1, 4)] int seed)
    {
        RequireFastKernelAfter(seed, few: 1);
        TestContext.Out.WriteLine($"seed {seed}");
        await Compare("file-sequence", $"{seed}", $"{Operations}");
    }

    [Test]
    public async Task A_random_sequence_of_memory_operations_has_the_results_of_Linux([Range(1, 8)] int seed)
    {
        RequireFastKernelAfter(seed, few: 1);
        TestContext.Out.WriteLine($"seed {seed}");
        await Compare("memory-sequence", $"{seed}", $"{Operations}");
    }

    [Test]
    public async Task Files_end_at_the_memory_limit_and_descriptors_at_theirs()
    {
        RequireFastKernel();
        ProgramRunner runner = Create(Fixed, new ProgramLimits { Memory = 0x80_0000 });

        ProgramResult result = await Run(runner, "", "file-limits");

        Assert.That(result.StandardOutput, Is.EqualTo(
            """
            no space -28
            more than a mebibyte 1
            no file either 1
            space again 0
            write 100
            no lock -37
            locks 1024
            no descriptor -24
            last 1023
            none to open -24
            none to create -24
            not created -2
            removed 0

            """.ReplaceLineEndings("\n")));
        Assert.That(result.ExitCode, Is.Zero);
    }

    [Test]
    public async Task Memory_that_is_replaced_does_not_count_as_used()
    {
        ProgramResult result = await Run(_runner, "", "moved-memory");

        Assert.That(result.StandardOutput, Is.EqualTo("set 0\nnot longer -12\nmoved 1\nnot in itself -22\nset 0\n"));
    }

    /// <summary>No thread can have a table of descriptors of its own, and none loses descriptors because another one wants that.</summary>
    [Test]
    public async Task Descriptors_of_threads_are_not_unshared()
    {
        ProgramResult result = await Run(_runner, "", "shared-descriptors");

        Assert.That(result.StandardOutput, Is.EqualTo("refused -22\ninvalid -22\n"));
    }

    [Test]
    public async Task A_program_cannot_raise_its_limits()
    {
        ProgramResult result = await Run(_runner, "", "no-privileges");

        Assert.That(result.StandardOutput, Is.EqualTo(
            """
            not more -1
            not higher -13
            clock -1
            wrong time -22
            no such clock to set -22
            no address -14
            time of day -1
            set 0
            no process -11
            set 0
            one process -11

            """.ReplaceLineEndings("\n")));
        Assert.That(result.ExitCode, Is.Zero);
    }

    [Test]
    public async Task Files_of_a_run_are_gone_in_the_next()
    {
        string first = (await Run(_runner, "", "file-sequence", "9", "300")).StandardOutput;
        string second = (await Run(_runner, "", "file-sequence", "9", "300")).StandardOutput;

        Assert.That(second, Is.EqualTo(first));
    }

    /// <summary>What system-files prints of its command line, which begins with the path of the program.</summary>
    private static string CommandLine(string path) => $"/proc/self/cmdline {path[..7]}";

    private async Task Compare(params string[] arguments)
    {
        NativeProgram.Require();
        (int exitCode, string output, string error) = NativeProgram.Run(PathOf(Fixed), "", arguments);

        ProgramResult result = await Run(_runner, "", arguments);

        Assert.That(result.StandardOutput, Is.EqualTo(output.Replace(CommandLine(PathOf(Fixed)), CommandLine($"/{Fixed}"), StringComparison.Ordinal)));
        Assert.That(result.StandardError, Is.EqualTo(error));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
    }
}
