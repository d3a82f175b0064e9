using System.IO.Pipelines;
using System.Runtime.Versioning;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program changes directories of the host, with the results that it has natively.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class HostChangeTests(TestTarget target) : ProgramTest(target)
{
    private const int Operations = 500;
    private const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private TestFiles _files = null!;

    [SetUp]
    public void CreateFiles()
    {
        _files = new TestFiles();
        foreach (string name in new[] { "native", "shared", "other", "readable" })
        {
            Directory.CreateDirectory(PathOfFile(name));
        }
    }

    [TearDown]
    public void DeleteFiles()
    {
        Assert.That(OpenDescriptors.Below(_files.Directory), Is.Empty, "left open");
        _files.Dispose();
    }

    [Test]
    public async Task System_calls_that_change_files_have_the_results_of_Linux()
    {
        NativeProgram.Require();
        File.WriteAllBytes(PathOfFile("native/existing"), TestFiles.Content(5000));
        File.WriteAllBytes(PathOfFile("shared/existing"), TestFiles.Content(5000));
        await using ProgramRunner runner = await CreateAsync();

        await Compare(runner, "host-changes");
    }

    [Test]
    public async Task A_random_sequence_of_changes_has_the_results_of_Linux([Range(1, 2)] int seed)
    {
        RequireFastKernelAfter(seed, few: 1);
        NativeProgram.Require();
        TestContext.Out.WriteLine($"seed {seed}");
        await using ProgramRunner runner = await CreateAsync();

        await Compare(runner, "host-sequence", $"{seed}", $"{Operations}");
    }

    [Test]
    public async Task What_directories_of_the_host_do_not_do_is_refused()
    {
        await using ProgramRunner runner = await CreateAsync();

        ProgramResult result = await Run(runner, "", "host-refused", "/data", "/other", "/read");

        Assert.That(result.StandardOutput, Is.EqualTo(
            """
            file 4
            link -1
            symbolic link -1
            link from elsewhere -18
            link to elsewhere -18
            pipe -1
            temporary -95
            to elsewhere -18
            from elsewhere -18
            to another one -18
            link to another one -18
            directory itself -13
            its mode -1
            shared -19
            shared for reading 1
            writable afterwards -13
            seen 115
            allocated -95
            other user 0
            mode 33279
            other user 0
            mode 33261
            without permissions 0
            not readable -13
            no text -84
            only to be read -13
            only to be read -13

            """.ReplaceLineEndings("\n")));
        Assert.That(Names("shared"), Is.EqualTo(new[] { "closed", "file", "special" }));
        Assert.That(File.GetUnixFileMode(PathOfFile("shared/special")) & ~(UnixFileMode)0x1FF, Is.EqualTo(UnixFileMode.None));
        Assert.That(File.GetUnixFileMode(PathOfFile("shared/closed")) & Owner, Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.That(Names("other").Concat(Names("readable")), Is.Empty);
    }

    [Test]
    public async Task Limits_of_a_run_end_in_EDQUOT_and_the_next_run_has_them_again()
    {
        await using ProgramRunner runner = await CreateAsync(new ProgramDirectory(PathOfFile("shared")) { IsWritable = true, MaximumBytes = 123_456, MaximumFiles = 30 });
        const string Expected = "written 123456\nthen -122\nlonger -122\nshorter 0\ncreated 29\nthen -122\ndirectory -122\n";

        Assert.That((await Run(runner, "", "host-fill", "/data")).StandardOutput, Is.EqualTo(Expected));
        Directory.Delete(PathOfFile("shared"), recursive: true);
        Directory.CreateDirectory(PathOfFile("shared"));
        Assert.That((await Run(runner, "", "host-fill", "/data")).StandardOutput, Is.EqualTo(Expected));
    }

    [Test]
    public async Task Many_files_are_open_in_the_program_and_few_on_the_host()
    {
        await using ProgramRunner runner = await CreateAsync();

        ProgramResult result = await Run(runner, "", "host-open", "/data");

        Assert.That(result.StandardOutput, Is.EqualTo("opened 300\nwritten 3000\n"));
        Assert.That(Names("shared"), Has.Length.EqualTo(300));
        Assert.That(Names("shared").Select(name => File.ReadAllText(PathOfFile($"shared/{name}"))), Is.All.EqualTo("turn turn "));
    }

    [Test]
    public async Task What_was_written_before_a_run_is_cancelled_stays()
    {
        await using ProgramRunner runner = await CreateAsync();
        using var cancellation = new CancellationTokenSource();

        Task<ProgramResult> run = runner.RunAsync(new ProgramInput { Arguments = ["host-lines", "/data"] }, cancellation.Token);
        await Until(() => LengthOf("shared/lines") > 1000);
        await cancellation.CancelAsync();

        Assert.That(async () => await run, Throws.InstanceOf<OperationCanceledException>());
        Assert.That(OpenDescriptors.Below(_files.Directory), Is.Empty, "left open");
        string[] lines = File.ReadAllText(PathOfFile("shared/lines")).Split('\n');
        Assert.That(lines[..^1], Is.All.EqualTo("0123456789ABCDE"));
        Assert.That(lines[^1], Is.Empty);
        Assert.That((await Run(runner, "", "hello")).StandardOutput, Is.EqualTo("hello\n"));
    }

    [Test]
    public async Task What_was_written_before_the_time_limit_stays()
    {
        await using ProgramRunner runner = await CreateAsync(limits: new ProgramLimits { Time = Enough });

        ProgramResult result = await Run(runner, "", "host-lines", "/data");

        Assert.That(result.End, Is.EqualTo(ProgramEnd.TimeLimit));
        Assert.That(File.ReadAllText(PathOfFile("shared/lines")).Split('\n')[..^1], Is.All.EqualTo("0123456789ABCDE").And.Not.Empty);
    }

    [Test]
    public async Task A_program_appends_after_what_others_have_written_meanwhile()
    {
        await using ProgramRunner runner = await CreateAsync();
        var toProgram = new Pipe();

        Task<ProgramResult> run = runner.RunAsync(new ProgramInput { Arguments = ["host-append", "/data/log"], StandardInputStream = toProgram.Reader.AsStream() });
        await Until(() => LengthOf("shared/log") == 0);
        for (int expected = 13; expected <= 26; expected += 13)
        {
            File.AppendAllText(PathOfFile("shared/log"), "host\n");
            await toProgram.Writer.WriteAsync(new byte[1]);
            await Until(() => LengthOf("shared/log") == expected);
        }

        await toProgram.Writer.CompleteAsync();

        Assert.That((await run).StandardOutput, Does.StartWith("opened\nappended 8\nprivate 104\nappended 8\nprivate 112\ncontents 26 "));
        Assert.That(File.ReadAllText(PathOfFile("shared/log")), Is.EqualTo("host\nprogram\nhost\nprogram\n"));
    }

    [Test]
    public async Task Files_that_are_not_open_use_no_memory_and_are_read_again()
    {
        // Each of the files fits into the memory of the program, and all of them do not.
        await using ProgramRunner runner = await CreateAsync(limits: new ProgramLimits { Memory = 0x20_0000 });
        string[] names = [.. Enumerable.Range(0, 4).Select(static number => $"large{number}")];
        Array.ForEach(names, name => File.WriteAllBytes(PathOfFile($"shared/{name}"), TestFiles.Content(0x9_0000)));

        ProgramResult result = await runner.RunAsync(new ProgramInput
        {
            Arguments = ["host-directory", "/none", .. names.Select(static name => $"/data/{name}")],
            StandardOutputStream = Stream.Null,
        });

        Assert.That((result.End, result.ExitCode), Is.EqualTo((ProgramEnd.Exited, 0)));
        Assert.That(new FileInfo(PathOfFile("shared/large0")).Exists, Is.False, "what the program removes at its end");
    }

    [Test]
    public async Task A_program_with_a_checkpoint_changes_files_in_each_run()
    {
        await using ProgramRunner runner = await CreateAsync(checkpoint: ProgramCheckpoint.EntryPoint);

        for (int i = 0; i < 2; i++)
        {
            Assert.That((await Run(runner, "", "host-open", "/data")).StandardOutput, Is.EqualTo("opened 300\nwritten 3000\n"));
            Assert.That(Names("shared"), Has.Length.EqualTo(300));
            Directory.Delete(PathOfFile("shared"), recursive: true);
            Directory.CreateDirectory(PathOfFile("shared"));
        }
    }

    private string PathOfFile(string name) => Path.Combine(_files.Directory, name);

    private string[] Names(string directory) => [.. Directory.GetFileSystemEntries(PathOfFile(directory)).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)];

    /// <summary>The length of a file, or -1.</summary>
    private long LengthOf(string name) => new FileInfo(PathOfFile(name)) is { Exists: true, Length: var length } ? length : -1;

    private static async Task Until(Func<bool> condition)
    {
        using var end = new CancellationTokenSource(TimeSpan.FromMinutes(5));
        while (!condition())
        {
            await Task.Delay(5, end.Token);
        }
    }

    /// <summary>Runs a command natively in one directory, and in a micro VM in another one.</summary>
    private async Task Compare(ProgramRunner runner, string command, params string[] arguments)
    {
        (int exitCode, string output, string _) = NativeProgram.Run(PathOf(Fixed), "", [command, PathOfFile("native"), .. arguments]);

        ProgramResult result = await Run(runner, "", [command, "/data", .. arguments]);

        Assert.That(result.StandardOutput, Is.EqualTo(output));
        Assert.That(result.ExitCode, Is.EqualTo(exitCode));
        Assert.That(result.UnsupportedSystemCalls, Is.Empty);
        Assert.That(Tree("shared"), Is.EqualTo(Tree("native")));
    }

    /// <summary>Everything in a directory: the owner's permissions and the contents. The rest of the mode depends on the mask of this process.</summary>
    private string[] Tree(string name) =>
        [.. Directory.GetFileSystemEntries(PathOfFile(name), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path =>
            $"{Path.GetRelativePath(PathOfFile(name), path)} {File.GetUnixFileMode(path) & Owner} {(File.Exists(path) ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))) : "directory")}")];

    private Task<ProgramRunner> CreateAsync(ProgramDirectory? directory = null, ProgramLimits? limits = null, ProgramCheckpoint checkpoint = default) =>
        ProgramRunner.CreateAsync(new ProgramTemplate
        {
            Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
            Directories = new Dictionary<string, ProgramDirectory>
            {
                ["/data"] = directory ?? new ProgramDirectory(PathOfFile("shared")) { IsWritable = true },
                ["/other"] = new(PathOfFile("other")) { IsWritable = true },
                ["/read"] = PathOfFile("readable"),
            },
            Limits = WithTime(limits ?? new ProgramLimits()),
            Checkpoint = checkpoint,
            CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
        });
}
