using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Programs of which a trial run was made: what later runs are, and what prepares them.</summary>
internal sealed class TrialTests(TestTarget target) : ProgramTest(target)
{
    private static readonly ProgramInput Input = new() { Arguments = ["one"], StandardInput = "input"u8.ToArray() };

    [Test]
    public async Task A_run_does_what_it_does_without_a_trial([Values("ready", "ready-execute", "ready-serve")] string command)
    {
        ProgramRunner plain = Create(command);
        ProgramRunner prepared = Create(command, Input);

        ProgramResult expected = await plain.RunAsync(Input);
        for (int i = 0; i < 2; i++)
        {
            ProgramResult result = await prepared.RunAsync(Input);

            Assert.That(WithoutRandom(result.StandardOutput), Is.EqualTo(WithoutRandom(expected.StandardOutput)));
            Assert.That((result.End, result.ExitCode), Is.EqualTo((expected.End, expected.ExitCode)));
        }
    }

    [Test]
    public async Task The_trial_has_a_result_and_its_input_is_not_that_of_a_run()
    {
        ProgramRunner runner = Create("ready-serve", Input);

        ProgramResult other = await runner.RunAsync(new ProgramInput { Arguments = ["two", "three"] });

        Assert.That(runner.WarmUp!.Trial!.StandardOutput, Is.EqualTo("string 1\nstring one\ncount 1\n"));
        Assert.That(runner.WarmUp.Trial.End, Is.EqualTo(ProgramEnd.Exited));
        Assert.That(runner.WarmUp.StandardOutput, Is.Empty);
        Assert.That(other.StandardOutput, Is.EqualTo("string 2\nstring two\nstring three\ncount 1\n"));
        Assert.That(Create("ready-serve").WarmUp!.Trial, Is.Null);
    }

    [Test]
    public async Task A_prepared_run_takes_fewer_instructions()
    {
        var input = new ProgramInput { StandardInput = "write"u8.ToArray() };
        ProgramRunner plain = Create("ready-memory");
        ProgramRunner prepared = Create("ready-memory", input);

        long? without = (await plain.RunAsync(input)).Usage.Instructions;
        long? with = (await prepared.RunAsync(input)).Usage.Instructions;

        if (without is null)
        {
            Assert.Ignore($"{Target} does not count instructions.");
        }

        TestContext.Out.WriteLine($"{with} instead of {without} instructions");
        Assert.That(with, Is.LessThan(without - (1024 * 100)), "a page fault takes some hundreds of instructions more than a copy");
    }

    [Test]
    public async Task A_trial_that_crashes_prepares_runs_as_well()
    {
        ProgramRunner runner = Create("ready-serve", new ProgramInput { StandardInput = "crash"u8.ToArray() });

        Assert.That((runner.WarmUp!.Trial!.End, runner.WarmUp.Trial.Signal), Is.EqualTo((ProgramEnd.Signaled, (int?)11)));
        Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
    }

    [Test]
    public async Task A_trial_that_the_time_limit_ends_changes_nothing()
    {
        ProgramRunner runner = Create("ready-serve", new ProgramInput { StandardInput = "loop"u8.ToArray() }, new ProgramLimits { Time = Enough });

        Assert.That(runner.WarmUp!.Trial!.End, Is.EqualTo(ProgramEnd.TimeLimit));
        Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
    }

    [Test]
    public async Task Half_of_the_memory_is_left_for_a_run_that_does_something_else()
    {
        // The trial writes 4 MiB, which are not reserved. A copy of all of it would leave too little for the 2.4 MiB of the other run.
        ProgramLimits limits = new() { Memory = 6 << 20 };
        ProgramRunner runner = Create("ready-memory", new ProgramInput { StandardInput = "write"u8.ToArray() }, limits);

        ProgramResult same = await Run(runner, "write");
        ProgramResult other = await Run(runner, "map");

        Assert.That(runner.WarmUp!.Trial!.StandardOutput, Is.EqualTo("string 0\nwritten 1024\n"));
        Assert.That((same.End, same.StandardOutput), Is.EqualTo((ProgramEnd.Exited, "string 0\nwritten 1024\n")));
        Assert.That((other.End, other.StandardOutput), Is.EqualTo((ProgramEnd.Exited, "string 0\nnew 600\n")));
    }

    [Test]
    public async Task A_trial_at_the_entry_point_prepares_runs()
    {
        ProgramRunner runner = Create("arguments", Input, checkpoint: ProgramCheckpoint.EntryPoint);

        Assert.That((await Run(runner, "", "two")).StandardOutput, Is.EqualTo("arguments 3\narguments\ntwo\nNAME=value\n"));
    }

    [Test]
    public void A_trial_needs_a_checkpoint()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => Create("hello", Input, checkpoint: ProgramCheckpoint.None))!;

        Assert.That(error.Message, Does.StartWith("TrialInput is set, but the program has no checkpoint from which it could be run. Set Checkpoint, or remove the input."));
    }

    private static string WithoutRandom(string output) =>
        string.Join('\n', output.Split('\n').Where(static line => !line.StartsWith("random", StringComparison.Ordinal)));

    private ProgramRunner Create(
        string command, ProgramInput? trial = null, ProgramLimits? limits = null, ProgramCheckpoint checkpoint = ProgramCheckpoint.Ready) =>
        Create(ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions), ["/" + Fixed, command], limits, checkpoint, trial: trial);
}
