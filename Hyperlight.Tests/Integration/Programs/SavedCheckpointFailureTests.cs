using System.Text.Json;
using Hyperlight.Programs;
using Hyperlight.Tests.Programs.Images;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>What happens where a checkpoint cannot be saved or loaded, or others do so at the same time.</summary>
internal sealed class SavedCheckpointFailureTests(TestTarget target) : SavedCheckpointTest(target)
{
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Nothing can be saved while there is a directory in the place of the file that is locked.</summary>
    private string LockFile => Path.Combine(Kept, ".hyperlight.lock");

    [Test]
    public async Task A_runner_works_without_a_save_that_failed()
    {
        Directory.CreateDirectory(LockFile);
        await using ProgramRunner runner = await ProgramRunner.CreateAsync(Serve);
        Directory.Delete(LockFile);
        await using ProgramRunner next = await ProgramRunner.CreateAsync(Serve);

        Assert.That(runner.WarmUp!.SaveFailure!.Problem, Is.EqualTo(SnapshotFileProblem.Access));
        Assert.That((await RunServe(runner)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
        Assert.That(next.WarmUp!.SaveFailure, Is.Null);
    }

    [Test]
    public async Task A_pool_logs_a_save_that_failed()
    {
        Directory.CreateDirectory(LockFile);
        using var loggers = new RecordingLoggers(LogLevel.Warning);
        IServiceCollection services = new ServiceCollection().AddSingleton<ILoggerFactory>(loggers);
        services.AddHyperlight().RemoveBuiltInDrivers().AddDriver(Target.Hypervisor).AddProgram("server", options =>
        {
            options.Image = Serve.Image;
            options.Command = [.. Serve.Command];
            options.Checkpoint = Serve.Checkpoint;
            options.Limits = Serve.Limits;
            options.CheckpointDirectory = Kept;
        });
        await using ServiceProvider provider = services.BuildServiceProvider();

        ProgramResult result = await provider.GetRequiredKeyedService<IProgramRunner>("server").RunAsync(ProgramInput.Empty);

        Assert.That(result.StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
        RecordingLoggers.Record warning = loggers.All.Single(static record => record.Category == "Hyperlight.Pool");
        Assert.That(warning.Text, Does.StartWith("The checkpoint of the program of pool server cannot be saved"));
        Assert.That(warning.Exception, Is.TypeOf<SnapshotFileException>());
    }

    /// <summary>Both have reached their checkpoints before one of them saves.</summary>
    [Test]
    public async Task Of_two_runners_that_are_created_at_once_one_saves([Values] bool isNew)
    {
        ProgramTemplate template = Serve with { CheckpointDirectory = isNew ? Path.Combine(Kept, "new") : Kept };
        int last = await LastAllocation();
        using var barrier = new Barrier(2);
        ProgramTemplate waiting = Acting(template, number =>
        {
            if (number == last)
            {
                barrier.SignalAndWait();
            }
        });

        ProgramRunner[] runners = await Task.WhenAll(ProgramRunner.CreateAsync(waiting), ProgramRunner.CreateAsync(waiting));
        await using ProgramRunner first = runners[0];
        await using ProgramRunner second = runners[1];
        await using ProgramRunner later = await ProgramRunner.CreateAsync(Acting(template));

        Assert.That(runners.Select(static runner => (runner.WarmUp is null, runner.WarmUp?.SaveFailure)), Is.All.EqualTo((false, (SnapshotFileException?)null)));
        Assert.That(Directory.GetFiles(Path.Combine(template.CheckpointDirectory, "blobs", "sha256")), Has.Length.EqualTo(3));
        Assert.That(later.WarmUp, Is.Null);
        foreach (ProgramRunner runner in (ProgramRunner[])[first, second, later])
        {
            Assert.That((await RunServe(runner)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
        }
    }

    [Test]
    public async Task A_snapshot_that_does_not_fit_is_replaced()
    {
        await (await ProgramRunner.CreateAsync(Serve)).DisposeAsync();
        using (MultiUseSandbox other = Target.BuilderFor("hello.elf").Build())
        using (Snapshot snapshot = other.TakeSnapshot())
        {
            snapshot.Save(Kept, Tags().Single());
        }

        await using ProgramRunner second = await ProgramRunner.CreateAsync(Serve);
        await using ProgramRunner third = await ProgramRunner.CreateAsync(Serve);

        Assert.That((second.WarmUp is null, third.WarmUp is null), Is.EqualTo((false, true)));
        Assert.That(second.WarmUp!.SaveFailure, Is.Null);
        Assert.That((await RunServe(second)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
        Assert.That((await RunServe(third)).StandardOutput, Is.EqualTo("string 0\ncount 1\n"));
    }

    [Test]
    public async Task Applications_with_other_host_functions_do_not_replace_each_others()
    {
        ProgramTemplate other = Serve with { CreateBuilder = () => Serve.CreateBuilder().WithHostFunction("Own", static () => 1) };

        bool[] isLoaded = new bool[4];
        for (int i = 0; i < isLoaded.Length; i++)
        {
            await using ProgramRunner runner = await ProgramRunner.CreateAsync(i % 2 == 0 ? other : Serve);
            isLoaded[i] = runner.WarmUp is null;
        }

        Assert.That(isLoaded, Is.EqualTo(new[] { false, false, true, true }));
    }

    [Test]
    public void A_directory_that_others_may_write_to_is_refused()
    {
        RequireModes();
        LetWrite(UnixFileMode.GroupWrite);

        SnapshotFileException exception = Assert.ThrowsAsync<SnapshotFileException>(() => ProgramRunner.CreateAsync(Serve)).GetAwaiter().GetResult()!;

        Assert.That(exception.Problem, Is.EqualTo(SnapshotFileProblem.Access));
        Assert.That(exception.Message, Does.StartWith($"Snapshot directory '{Kept}': other users may write to it").And.Contain("chmod go-w"));
        Assert.That(Directory.GetFileSystemEntries(Kept), Is.Empty);
    }

    [Test]
    public void A_directory_of_another_user_is_refused()
    {
        TestLinux.ChangeOwner(Kept, 12345);

        Assert.That(
            () => ProgramRunner.CreateAsync(Serve),
            Throws.TypeOf<SnapshotFileException>().With.Message.Contains("it belongs to another user").And.Property("Problem").EqualTo(SnapshotFileProblem.Access));
    }

    [Test]
    public async Task Nothing_is_saved_to_a_directory_that_others_may_write_to_meanwhile()
    {
        RequireModes();
        int last = await LastAllocation();
        ProgramTemplate template = Acting(Serve, number =>
        {
            if (number == last)
            {
                LetWrite(UnixFileMode.OtherWrite);
            }
        });

        await using ProgramRunner runner = await ProgramRunner.CreateAsync(template);

        Assert.That(runner.WarmUp!.SaveFailure!.Message, Does.Contain("other users may write to it"));
        Assert.That(Directory.GetFileSystemEntries(Kept), Is.Empty);
    }

    [Test]
    public async Task A_directory_of_the_host_that_is_missing_is_an_error_also_if_it_is_loaded()
    {
        RequireModes();
        string data = Path.Combine(Kept, "data");
        Directory.CreateDirectory(data);
        ProgramTemplate template = Serve with
        {
            CheckpointDirectory = Path.Combine(Kept, "checkpoints"),
            Directories = new Dictionary<string, ProgramDirectory> { ["/data"] = data },
        };
        await (await ProgramRunner.CreateAsync(template)).DisposeAsync();
        await using (ProgramRunner runner = await ProgramRunner.CreateAsync(template))
        {
            Assert.That(runner.WarmUp, Is.Null);
        }

        Directory.Delete(data);

        Assert.That(() => ProgramRunner.CreateAsync(template), Throws.TypeOf<DirectoryNotFoundException>());
    }

    [Test]
    public async Task A_cancelled_creation_does_not_load()
    {
        await (await ProgramRunner.CreateAsync(Acting(Serve))).DisposeAsync();
        using var source = new CancellationTokenSource();

        Assert.That(() => ProgramRunner.CreateAsync(Acting(Serve, onFile: source.Cancel), source.Token), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task A_cancelled_creation_does_not_save()
    {
        int last = await LastAllocation();
        using var source = new CancellationTokenSource();
        ProgramTemplate template = Acting(Serve, number =>
        {
            if (number == last)
            {
                source.Cancel();
            }
        });

        Assert.That(() => ProgramRunner.CreateAsync(template, source.Token), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(Directory.GetFileSystemEntries(Kept), Is.Empty);
    }

    [Test]
    public void An_empty_path_is_refused_before_anything_is_done()
    {
        ProgramTemplate template = Serve with { CheckpointDirectory = "", CreateBuilder = static () => throw new InvalidOperationException() };

        Assert.That(
            () => ProgramRunner.CreateAsync(template),
            Throws.ArgumentException.With.Message.EqualTo("CheckpointDirectory is empty. Set it to the path of a directory, or to null."));
    }

    private void LetWrite(UnixFileMode others)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(Kept, Owner | others);
        }
    }

    private static void RequireModes()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("This is about files of Linux.");
        }
    }

    private string[] Tags()
    {
        using JsonDocument index = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Kept, "index.json")));
        return [.. index.RootElement.GetProperty("manifests").EnumerateArray()
            .Select(static manifest => manifest.GetProperty("annotations").GetProperty("org.opencontainers.image.ref.name").GetString()!)];
    }

    private ProgramTemplate Acting(ProgramTemplate template, Action<int>? onAllocation = null, Action? onFile = null) => template with
    {
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(new ActingHypervisor(Target.Hypervisor, onAllocation ?? (static _ => { }), onFile)),
    };

    /// <summary>The number of the allocation for the snapshot at the checkpoint.</summary>
    private async Task<int> LastAllocation()
    {
        var observed = new ActingHypervisor(Target.Hypervisor, static _ => { });
        ProgramTemplate template = Serve with { CheckpointDirectory = null, CreateBuilder = () => new SandboxBuilder().WithHypervisor(observed) };
        await (await ProgramRunner.CreateAsync(template)).DisposeAsync();
        return observed.Allocations;
    }
}
