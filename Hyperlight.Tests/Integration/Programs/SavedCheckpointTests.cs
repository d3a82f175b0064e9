using Hyperlight.Programs;
using Microsoft.Extensions.DependencyInjection;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A checkpoint that is kept in a directory is used by later runners, and by no others than those it is for.</summary>
internal sealed class SavedCheckpointTests(TestTarget target) : SavedCheckpointTest(target)
{
    [Test]
    public async Task A_later_runner_goes_on_from_it_with_everything_that_the_program_had()
    {
        ProgramTemplate template = Template("ready");
        await using ProgramRunner first = await ProgramRunner.CreateAsync(template);
        ProgramResult expected = await first.RunAsync(ProgramInput.Empty);

        await using ProgramRunner second = await ProgramRunner.CreateAsync(template);
        ProgramResult one = await second.RunAsync(ProgramInput.Empty);
        ProgramResult other = await second.RunAsync(ProgramInput.Empty);

        Assert.That(first.WarmUp, Is.Not.Null);
        Assert.That(second.WarmUp, Is.Null, "the program is not run to its checkpoint again");
        Assert.That(expected.StandardOutput, Does.Contain("\nthread 42\n"));
        Assert.That(WithoutChance(one), Is.EqualTo(WithoutChance(expected)));
        Assert.That(Line(one, "random before"), Is.EqualTo(Line(expected, "random before")), "it was drawn before the checkpoint");
        Assert.That(Line(one, "random "), Is.Not.EqualTo(Line(other, "random ")));
    }

    [Test]
    public async Task With_a_seed_everything_is_as_without_a_directory()
    {
        ProgramTemplate template = Template("ready") with { Seed = 42 };
        await using ProgramRunner without = await ProgramRunner.CreateAsync(template with { CheckpointDirectory = null });
        await using ProgramRunner first = await ProgramRunner.CreateAsync(template);
        await using ProgramRunner second = await ProgramRunner.CreateAsync(template);

        ProgramResult[] results = [await without.RunAsync(ProgramInput.Empty), await first.RunAsync(ProgramInput.Empty), await second.RunAsync(ProgramInput.Empty)];

        Assert.That(second.WarmUp, Is.Null);
        Assert.That(results[0].StandardOutput, Does.Contain("random "));
        Assert.That(results.Select(static result => result.StandardOutput), Is.All.EqualTo(results[0].StandardOutput));
    }

    [Test]
    public async Task It_can_be_the_entry_point()
    {
        ProgramTemplate template = Template("arguments") with { Checkpoint = ProgramCheckpoint.EntryPoint };
        await (await ProgramRunner.CreateAsync(template)).DisposeAsync();

        await using ProgramRunner runner = await ProgramRunner.CreateAsync(template);
        ProgramResult result = await runner.RunAsync(new ProgramInput
        {
            Arguments = ["one"],
            Environment = new Dictionary<string, string> { ["NAME"] = "other" },
        });

        Assert.That(runner.WarmUp, Is.Null);
        Assert.That(result.StandardOutput, Is.EqualTo("arguments 3\narguments\none\nNAME=other\n"));
    }

    [Test]
    public async Task It_is_there_for_the_runners_after_the_one_that_saved_it_was_disposed()
    {
        await (await ProgramRunner.CreateAsync(Serve)).DisposeAsync();

        await using ProgramRunner runner = await ProgramRunner.CreateAsync(Serve);
        ProgramResult first = await RunServe(runner);
        ProgramResult second = await RunServe(runner);

        Assert.That(runner.WarmUp, Is.Null);
        Assert.That((first.StandardOutput, second.StandardOutput), Is.EqualTo(("string 0\ncount 1\n", "string 0\ncount 1\n")));
    }

    /// <summary>As a save that another process has begun, or that was interrupted.</summary>
    [Test]
    public async Task What_was_saved_in_part_is_saved_again()
    {
        await File.WriteAllBytesAsync(Path.Combine(Kept, ".hyperlight.lock"), []);
        Directory.CreateDirectory(Path.Combine(Kept, "blobs", "sha256"));

        await using ProgramRunner first = await ProgramRunner.CreateAsync(Serve);
        await using ProgramRunner second = await ProgramRunner.CreateAsync(Serve);

        Assert.That((first.WarmUp is null, second.WarmUp is null), Is.EqualTo((false, true)));
    }

    [Test]
    public async Task A_trial_run_is_part_of_it()
    {
        ProgramTemplate template = Serve with { TrialInput = new ProgramInput { StandardInput = "trial"u8.ToArray() } };
        await using ProgramRunner first = await ProgramRunner.CreateAsync(template);

        await using ProgramRunner second = await ProgramRunner.CreateAsync(template);
        await using ProgramRunner without = await ProgramRunner.CreateAsync(Serve);

        Assert.That(first.WarmUp!.Trial, Is.Not.Null);
        Assert.That(second.WarmUp, Is.Null);
        Assert.That(without.WarmUp, Is.Not.Null, "it is another checkpoint");
        Assert.That((await RunServe(second)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
    }

    [Test]
    public async Task Another_program_does_not_find_it()
    {
        await (await ProgramRunner.CreateAsync(Serve)).DisposeAsync();
        ProgramTemplate[] others =
        [
            Serve with { Command = [.. Serve.Command, "argument"] },
            Serve with { Environment = new Dictionary<string, string> { ["NAME"] = "other" } },
            Serve with { WorkingDirectory = "/tmp" },
            Serve with { Image = Serve.Image.WithFiles(new Dictionary<string, ProgramFile> { ["/new"] = ProgramFile.FromText("file") }) },
            Serve with { Limits = Serve.Limits with { Memory = Serve.Limits.Memory / 2 } },
            Serve with { Limits = Serve.Limits with { Threads = 3 } },
            Serve with { Seed = 1 },
            Serve with { Tools = [ProgramTool.Create("tool", static (arguments, _) => ValueTask.FromResult(arguments))] },
            Serve with { TrialInput = new ProgramInput { Arguments = ["trial"] } },
        ];

        foreach (ProgramTemplate other in others)
        {
            await using ProgramRunner runner = await ProgramRunner.CreateAsync(other);
            Assert.That(runner.WarmUp, Is.Not.Null, $"{other}");
        }

        Assert.That(Directory.GetFiles(Kept, "*", SearchOption.AllDirectories), Has.Length.GreaterThan(2 * others.Length));
        await using ProgramRunner same = await ProgramRunner.CreateAsync(Serve);
        Assert.That(same.WarmUp, Is.Null);
    }

    [Test]
    public async Task Limits_of_a_run_do_not_make_another_checkpoint()
    {
        await (await ProgramRunner.CreateAsync(Serve)).DisposeAsync();

        ProgramLimits limits = Serve.Limits with { Output = 1, Time = Enough, SystemCalls = 100_000 };
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(Serve with { Limits = limits });

        Assert.That(runner.WarmUp, Is.Null);
        Assert.That((await RunServe(runner)).End, Is.EqualTo(ProgramEnd.OutputLimit));
    }

    [Test]
    public async Task A_damaged_checkpoint_is_an_error()
    {
        await (await ProgramRunner.CreateAsync(Serve)).DisposeAsync();
        string memory = Directory.GetFiles(Path.Combine(Kept, "blobs", "sha256")).MaxBy(static file => new FileInfo(file).Length)!;
        byte[] bytes = await File.ReadAllBytesAsync(memory);
        bytes[bytes.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(memory, bytes);

        Assert.That(
            () => ProgramRunner.CreateAsync(Serve),
            Throws.TypeOf<SnapshotFileException>().With.Property("Problem").EqualTo(SnapshotFileProblem.Corrupted));
    }

    [Test]
    public void A_program_without_a_checkpoint_has_no_use_for_a_directory() =>
        Assert.That(
            () => ProgramRunner.CreateAsync(Serve with { Checkpoint = ProgramCheckpoint.None }),
            Throws.ArgumentException.With.Message.EqualTo(
                "CheckpointDirectory is set, but the program has no checkpoint. Set Checkpoint, or remove the directory."));

    [Test]
    public async Task The_sandboxes_of_a_pool_start_from_it()
    {
        await (await ProgramRunner.CreateAsync(Serve)).DisposeAsync();
        DateTime saved = File.GetLastWriteTimeUtc(Path.Combine(Kept, "index.json"));
        IServiceCollection services = new ServiceCollection().AddLogging();
        services.AddHyperlight().RemoveBuiltInDrivers().AddDriver(Target.Hypervisor).AddProgram("server", options =>
        {
            options.Image = Serve.Image;
            options.Command = [.. Serve.Command];
            options.Environment["NAME"] = Serve.Environment["NAME"];
            options.Checkpoint = Serve.Checkpoint;
            options.Limits = Serve.Limits;
            options.CheckpointDirectory = Kept;
            options.Pool = new SandboxPoolOptions { MaximumSize = 2 };
        });
        await using ServiceProvider provider = services.BuildServiceProvider();
        IProgramRunner runner = provider.GetRequiredKeyedService<IProgramRunner>("server");

        ProgramResult[] results = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => runner.RunAsync(ProgramInput.Empty)));

        Assert.That(results.Select(static result => result.StandardOutput), Is.All.EqualTo("string 0\ncount 1\n"));
        Assert.That(File.GetLastWriteTimeUtc(Path.Combine(Kept, "index.json")), Is.EqualTo(saved), "nothing was saved again");
    }

    private static string WithoutChance(ProgramResult result) =>
        string.Join('\n', result.StandardOutput.Split('\n').Where(static line => !line.StartsWith("random", StringComparison.Ordinal)));

    private static string? Line(ProgramResult result, string start) =>
        result.StandardOutput.Split('\n').FirstOrDefault(line => line.StartsWith(start, StringComparison.Ordinal));
}
