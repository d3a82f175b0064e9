using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Programs whose runs start at a checkpoint.</summary>
internal sealed class CheckpointTests(TestTarget target) : ProgramTest(target)
{
    private static readonly string[] Changing = ["random", "random before"];

    private ProgramRunner _server = null!;

    [OneTimeSetUp]
    public void CreateRunner() =>
        _server = Create("ready-serve", ProgramCheckpoint.Ready);

    [TearDown]
    public async Task The_next_run_starts_at_the_checkpoint() =>
        Assert.That((await Serve("")).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));

    [Test]
    public async Task A_program_goes_on_from_its_checkpoint_with_everything_that_it_had([Values("ready", "ready-execute")] string command)
    {
        ProgramRunner runner = Create(command, ProgramCheckpoint.Ready);
        var input = new ProgramInput
        {
            Arguments = ["one", "", "zwei ä"],
            Environment = new Dictionary<string, string> { ["RUN"] = "1", ["NAME"] = "other" },
        };

        ProgramResult first = await runner.RunAsync(input);
        ProgramResult second = await runner.RunAsync(input);

        const string Expected =
            """
            string 3
            string one
            string 
            string zwei ä
            string RUN=1
            string NAME=other
            result 0
            clock 1
            sum 5
            pipe 1
            thread 42
            data 67
            constants 4
            written 16
            file 120007121
            mapping 120007121
            opened 11
            moved 25
            kernel!
            child 44
            parent 21

            """;
        Assert.That(Without(first.StandardOutput), Is.EqualTo(Expected));
        Assert.That(Without(second.StandardOutput), Is.EqualTo(Expected));
        Assert.That((first.End, first.ExitCode, second.ExitCode), Is.EqualTo((ProgramEnd.Exited, 3, 3)));
        Assert.That(first.UnsupportedSystemCalls, Is.Empty);
        Assert.That(Line(first, "random"), Has.Length.EqualTo(23).And.Not.EqualTo(Line(second, "random")));
    }

    [Test]
    public void What_the_program_wrote_before_its_checkpoint_is_not_part_of_a_run()
    {
        ProgramWarmUp warmUp = Create("ready", ProgramCheckpoint.Ready).WarmUp!;

        Assert.That(warmUp.StandardOutput, Does.Match("^random before [0-9a-f]{16}\n$"));
        Assert.That(warmUp.Duration, Is.GreaterThan(TimeSpan.Zero));
    }

    [Test]
    public async Task A_thread_goes_on_sleeping()
    {
        ProgramRunner runner = Create("ready-sleeping", ProgramCheckpoint.Ready);

        Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("string 0\nslept 1\n"));
        Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("string 0\nslept 1\n"));
    }

    [Test]
    public async Task A_program_that_has_processes_is_refused_its_checkpoint()
    {
        ProgramRunner runner = Create("ready-busy", ProgramCheckpoint.Ready);

        Assert.That(runner.WarmUp!.StandardOutput, Is.EqualTo("refused -16\n"));
        Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("string 0\nresult 0\n"));
    }

    [Test]
    public async Task A_run_has_files_and_input_of_its_own()
    {
        ProgramResult result = await _server.RunAsync(new ProgramInput
        {
            StandardInput = "input"u8.ToArray(),
            Files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/in/text"] = "a file"u8.ToArray() },
            OutputDirectories = ["/in"],
        });

        Assert.That(result.StandardOutput, Is.EqualTo("string 0\na file\ncount 1\n"));
        Assert.That(Encoding.UTF8.GetString(result.Files("/in")["/in/text"].Span), Is.EqualTo("a file"));
    }

    [Test]
    public async Task A_run_that_crashes_goes_back_to_the_checkpoint()
    {
        ProgramResult result = await Serve("crash");

        Assert.That((result.End, result.Signal, result.FaultAddress), Is.EqualTo((ProgramEnd.Signaled, (int?)11, 0UL)));
    }

    [Test]
    public async Task The_time_limit_is_that_of_the_run()
    {
        ProgramRunner runner = Create("ready-serve", ProgramCheckpoint.Ready, new ProgramLimits { Time = Enough });

        ProgramResult ended = await runner.RunAsync(new ProgramInput { StandardInput = "loop"u8.ToArray() });
        ProgramResult next = await runner.RunAsync(ProgramInput.Empty);

        Assert.That((ended.End, ended.StandardOutput), Is.EqualTo((ProgramEnd.TimeLimit, "string 0\n")));
        Assert.That(next.StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
    }

    [Test]
    public async Task Without_a_checkpoint_the_device_has_the_strings_of_the_run()
    {
        ProgramRunner runner = Create("ready-serve", ProgramCheckpoint.None);

        ProgramResult result = await runner.RunAsync(new ProgramInput
        {
            Arguments = ["one"],
            Environment = new Dictionary<string, string> { ["RUN"] = "1" },
        });

        Assert.That(runner.WarmUp, Is.Null);
        Assert.That(result.StandardOutput, Is.EqualTo("string 1\nstring one\nstring RUN=1\ncount 1\n"));
    }

    [Test]
    public async Task A_program_that_knows_nothing_of_it_starts_at_its_entry_point([Values(Fixed, PositionIndependent)] string program)
    {
        ProgramRunner runner = Create("arguments", ProgramCheckpoint.EntryPoint, program: program);
        string many = new('a', 60_000);

        ProgramResult plain = await runner.RunAsync(ProgramInput.Empty);
        ProgramResult other = await runner.RunAsync(new ProgramInput
        {
            Arguments = ["one", "", many],
            Environment = new Dictionary<string, string> { ["NAME"] = "a longer value" },
        });

        Assert.That(plain.StandardOutput, Is.EqualTo("arguments 2\narguments\nNAME=value\n"));
        Assert.That(other.StandardOutput, Is.EqualTo($"arguments 5\narguments\none\n\n{many}\nNAME=a longer value\n"));
        Assert.That(runner.WarmUp!.StandardOutput, Is.Empty);
    }

    [Test]
    public async Task A_script_starts_at_the_entry_point_of_its_interpreter()
    {
        ProgramImage image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions).WithFiles(new Dictionary<string, ProgramFile>
        {
            ["/script"] = ProgramFile.FromText($"#!/{Fixed} arguments\n", isExecutable: true),
        });
        ProgramRunner runner = Create(image, ["script"], checkpoint: ProgramCheckpoint.EntryPoint, executable: "/script");

        ProgramResult result = await Run(runner, "", "one", "two");

        Assert.That(result.StandardOutput, Is.EqualTo("arguments 5\narguments\n/script\none\ntwo\nNAME=value\n"));
    }

    [Test]
    public async Task The_stack_at_the_entry_point_is_complete()
    {
        ProgramRunner runner = Create("vector", ProgramCheckpoint.EntryPoint, program: PositionIndependent);

        for (int count = 0; count < 3; count++)
        {
            ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = [.. Enumerable.Repeat("a", count)] });

            Assert.That(result.StandardOutput, Is.EqualTo("page size 4096\nentry 1\nsecure 0\nrandom 1\nheader type 1\nstack 1\nname 1\n"));
        }
    }

    [Test]
    public async Task A_program_does_the_same_from_its_entry_point_as_from_its_beginning()
    {
        RequireFastKernel();
        ProgramRunner plain = Create(ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions));
        ProgramRunner warm = Create(ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions), checkpoint: ProgramCheckpoint.EntryPoint);

        foreach (string command in NativeComparisonTests.SameEverywhere)
        {
            ProgramResult expected = await Run(plain, "some input", command.Split(' '));
            ProgramResult result = await Run(warm, "some input", command.Split(' '));

            Assert.That(
                (result.StandardOutput, result.StandardError, result.End, result.ExitCode),
                Is.EqualTo((expected.StandardOutput, expected.StandardError, expected.End, expected.ExitCode)),
                command);
        }
    }

    [Test]
    public void A_program_that_ends_before_its_checkpoint_is_an_error_with_its_result()
    {
        ProgramCheckpointException error = Fails("hello", new ProgramLimits());

        Assert.That((error.Checkpoint, error.Result.End, error.Result.ExitCode, error.Result.StandardOutput), Is.EqualTo((ProgramCheckpoint.Ready, ProgramEnd.Exited, 7, "hello\n")));
        Assert.That(error.Message, Is.EqualTo($"'/{Fixed}' has not reached its checkpoint (Ready): it ended with the exit code 7."));
    }

    [Test]
    public void A_program_that_does_not_reach_its_checkpoint_is_ended_by_the_time_limit()
    {
        ProgramCheckpointException error = Fails("loop", new ProgramLimits { WarmUpTime = TimeSpan.FromMilliseconds(200) });

        Assert.That(error.Result.End, Is.EqualTo(ProgramEnd.TimeLimit));
        Assert.That(error.Message, Does.EndWith("it took longer than ProgramLimits.WarmUpTime."));
    }

    [Test]
    public void A_program_that_writes_too_much_before_its_checkpoint_is_an_error()
    {
        ProgramCheckpointException error = Fails("flood", new ProgramLimits { Output = 1000 });

        Assert.That((error.Result.End, error.Result.StandardOutputBytes.Length), Is.EqualTo((ProgramEnd.OutputLimit, 1000)));
    }

    private ProgramRunner Create(string command, ProgramCheckpoint checkpoint, ProgramLimits? limits = null, string program = Fixed) =>
        Create(ProgramImage.FromExecutable(PathOf(program), ImageOptions), ["/" + program, command], limits, checkpoint);

    private ProgramCheckpointException Fails(string command, ProgramLimits limits) =>
        Assert.Throws<ProgramCheckpointException>(() => Create(command, ProgramCheckpoint.Ready, limits))!;

    private Task<ProgramResult> Serve(string input) => Run(_server, input);

    private static string Without(string output) =>
        string.Concat(output.Split('\n').Where(static line => !Changing.Any(line.StartsWith)).Select(static line => line + '\n'))[..^1];

    private static string Line(ProgramResult result, string name) =>
        result.StandardOutput.Split('\n').Single(line => line.StartsWith(name + ' ', StringComparison.Ordinal));
}
