using System.Text;
using Hyperlight.Abstractions;
using Hyperlight.Programs;
using Hyperlight.Tests.Programs.Images;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Programs of which a trial run was made: what later runs are, and what prepares them.</summary>
internal sealed class TrialTests(TestTarget target) : ProgramTest(target)
{
    private static readonly ProgramInput Input = new() { Arguments = ["one"], StandardInput = "input"u8.ToArray() };

    [Test]
    public async Task A_run_does_what_it_does_without_a_trial([Values("ready", "ready-execute", "ready-serve", "ready-changing-file", "ready-other-spaces")] string command)
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
    public async Task A_mapped_file_is_read_when_it_is_used()
    {
        string tar = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            const UnixFileMode ForAll = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
            await File.WriteAllBytesAsync(tar, new TarFile().File("writable", new string('A', 2 * GuestPage.Size), ForAll).Bytes());
            ProgramImage image = ProgramImage.FromTar(tar, ImageOptions).WithFiles(new Dictionary<string, ProgramFile> { ["/" + Fixed] = ProgramFile.FromPath(PathOf(Fixed)) });
            ProgramRunner runner = Create(image, ["/" + Fixed, "ready-changing-file"], checkpoint: ProgramCheckpoint.Ready, trial: ProgramInput.Empty);

            ProgramResult result = await runner.RunAsync(ProgramInput.Empty);

            Assert.That(result.StandardOutput, Is.EqualTo("string 0\nshown 65\nwritten 66\nread 66\nbefore 65\nimage 67\nshown 67\nC after 67\n"));
            Assert.That(runner.WarmUp!.Trial!.StandardOutput, Is.EqualTo(result.StandardOutput));
        }
        finally
        {
            File.Delete(tar);
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
    public async Task A_prepared_run_takes_fewer_instructions([Values("write", "calls")] string task)
    {
        if (!Target.Hypervisor.CountsInstructions)
        {
            Assert.Ignore($"{Target} does not count instructions.");
        }

        // With the calls, the kernel uses the same page again and again before the memory is written.
        var input = new ProgramInput { StandardInput = Encoding.UTF8.GetBytes(task) };
        ProgramRunner plain = Create("ready-memory");
        ProgramRunner prepared = Create("ready-memory", input);

        long without = (await plain.RunAsync(input)).Usage.Instructions!.Value;
        long with = (await prepared.RunAsync(input)).Usage.Instructions!.Value;

        TestContext.Out.WriteLine($"{with} instead of {without} instructions");
        Assert.That(with, Is.LessThan(without - (1024 * 100)), "a page fault takes some hundreds of instructions more than a copy");
    }

    [Test]
    public async Task A_trial_that_crashes_has_a_result_and_no_effect()
    {
        ProgramRunner runner = Create("ready-serve", new ProgramInput { StandardInput = "crash"u8.ToArray() });

        Assert.That((runner.WarmUp!.Trial!.End, runner.WarmUp.Trial.Signal), Is.EqualTo((ProgramEnd.Signaled, (int?)11)));
        Assert.That((await runner.RunAsync(ProgramInput.Empty)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
    }

    [Test]
    public async Task A_trial_that_the_time_limit_ends_has_no_effect()
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
    public async Task A_program_that_starts_at_its_entry_point_has_a_trial_too()
    {
        ProgramRunner runner = Create("arguments", Input, checkpoint: ProgramCheckpoint.EntryPoint);

        Assert.That((await Run(runner, "", "two")).StandardOutput, Is.EqualTo("arguments 3\narguments\ntwo\nNAME=value\n"));
    }

    [Test]
    public async Task A_trial_with_files_and_tools_leaves_nothing_for_a_run()
    {
        int calls = 0;
        var input = new ProgramInput
        {
            Files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/in/text"] = "a file"u8.ToArray() },
            OutputDirectories = ["/in"],
            Tools = [ProgramTool.Create("count", _ => System.Text.Json.JsonSerializer.SerializeToElement(++calls))],
        };
        ProgramRunner runner = Create("ready-serve", input);

        ProgramResult next = await runner.RunAsync(new ProgramInput { OutputDirectories = ["/in"] });

        Assert.That(runner.WarmUp!.Trial!.StandardOutput, Is.EqualTo("string 0\na file\ncount 1\n"));
        Assert.That(runner.WarmUp.Trial.Files("/in").Keys, Is.EqualTo(new[] { "/in/text" }));
        Assert.That(next.StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
        Assert.That(next.Files("/in"), Is.Empty);
    }

    [Test]
    public async Task A_trial_that_is_cancelled_ends_the_creation()
    {
        using var source = new CancellationTokenSource();
        ProgramTemplate template = Template(new ProgramInput { Arguments = ["call", """{"name":"cancel","arguments":1}"""] }) with
        {
            Tools = [ProgramTool.Create("cancel", async (_, token) =>
            {
                await source.CancelAsync();
                await Task.Delay(Timeout.Infinite, token);
                return default;
            })],
        };

        await Assert.ThatAsync(() => ProgramRunner.CreateAsync(template, source.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task The_runs_of_a_pool_are_prepared_by_one_trial()
    {
        int calls = 0;
        var input = new ProgramInput { Arguments = ["call", """{"name":"count","arguments":1}"""] };
        await using ServiceProvider provider = new ServiceCollection()
            .AddLogging()
            .AddHyperlight().RemoveBuiltInDrivers().AddDriver(Target.Hypervisor).AddProgram("test", options =>
            {
                ProgramTemplate template = Template(input);
                options.Image = template.Image;
                options.Checkpoint = template.Checkpoint;
                options.Limits = template.Limits;
                options.TrialInput = input;
                options.Tools = [ProgramTool.Create("count", _ => System.Text.Json.JsonSerializer.SerializeToElement(Interlocked.Increment(ref calls)))];
            })
            .Services.BuildServiceProvider();
        IProgramRunner runner = provider.GetRequiredKeyedService<IProgramRunner>("test");

        string[] outputs = [.. (await Task.WhenAll(runner.RunAsync(input), runner.RunAsync(input))).Select(static result => result.StandardOutput).Order()];

        Assert.That(outputs, Is.EqualTo(new[] { "{\"result\":2}\n", "{\"result\":3}\n" }));
    }

    [Test]
    public void An_input_that_cannot_be_that_of_a_trial_is_refused_before_the_program_runs()
    {
        using var stream = new MemoryStream();

        Assert.That(Refusal("hello", Input, ProgramCheckpoint.None), Is.EqualTo("TrialInput is set, but the program has no checkpoint from which it could be run. Set Checkpoint, or remove the input."));
        Assert.That(Refusal("loop", Input with { StandardOutputStream = stream }), Is.EqualTo("TrialInput has a stream, but a pool can make more than one trial run. Use StandardInput."));
        Assert.That(Refusal("loop", new ProgramInput { Arguments = ["\0"] }), Is.EqualTo("TrialInput is invalid: An argument or an environment variable contains a zero character."));

        string Refusal(string command, ProgramInput input, ProgramCheckpoint checkpoint = ProgramCheckpoint.Ready) =>
            Assert.Throws<ArgumentException>(() => Create(command, input, checkpoint: checkpoint))!.Message;
    }

    private static string WithoutRandom(string output) =>
        string.Join('\n', output.Split('\n').Where(static line => !line.StartsWith("random", StringComparison.Ordinal)));

    /// <summary>A program that starts at its entry point, so that its arguments say what it does.</summary>
    private ProgramTemplate Template(ProgramInput trial) => new()
    {
        Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
        Checkpoint = ProgramCheckpoint.EntryPoint,
        TrialInput = trial,
        Limits = WithTime(new ProgramLimits()),
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
    };

    private ProgramRunner Create(
        string command, ProgramInput? trial = null, ProgramLimits? limits = null, ProgramCheckpoint checkpoint = ProgramCheckpoint.Ready) =>
        Create(ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions), ["/" + Fixed, command], limits, checkpoint, trial: trial);
}
