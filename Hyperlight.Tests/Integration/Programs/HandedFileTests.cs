using System.Runtime.Versioning;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>Files that a run is handed, and files that it leaves behind.</summary>
internal sealed class HandedFileTests(TestTarget target) : ProgramTest(target)
{
    private ProgramRunner _runner = null!;

    [OneTimeSetUp]
    public void CreateRunner() => _runner = Create(Fixed);

    [Test]
    public async Task A_run_hands_back_the_files_that_it_was_handed()
    {
        byte[] large = new byte[100_000];
        new Random(1).NextBytes(large);
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/in/a/text"] = "text"u8.ToArray(), ["/in/large"] = large, ["/in/empty"] = default };

        ProgramResult result = await _runner.RunAsync(new ProgramInput { Arguments = ["hello"], Files = files, OutputDirectories = ["/in", "/none"] });

        Assert.That(result.Files("/in").ToDictionary(static file => file.Key, static file => file.Value.ToArray()), Is.EqualTo(
            files.ToDictionary(static file => file.Key, static file => file.Value.ToArray())));
        Assert.That(Encoding.UTF8.GetString(result.Files("/in/a")["/in/a/text"].Span), Is.EqualTo("text"));
        Assert.That((result.Files("/none").Count, result.IsFileLimitReached), Is.EqualTo((0, false)));
    }

    [Test]
    public async Task The_next_run_has_no_files_of_the_last()
    {
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/in/file"] = "text"u8.ToArray() };
        await _runner.RunAsync(new ProgramInput { Arguments = ["hello"], Files = files });

        ProgramResult result = await _runner.RunAsync(new ProgramInput { Arguments = ["hello"], OutputDirectories = ["/in"] });

        Assert.That(result.Files("/in"), Is.Empty);
    }

    [Test]
    public async Task Files_that_cannot_be_named_are_left_out()
    {
        ProgramResult result = await _runner.RunAsync(new ProgramInput { Arguments = ["odd-names"], OutputDirectories = ["/tmp", "/tmp"] });

        Assert.That(result.ExitCode, Is.Zero);
        Assert.That(result.Files("/tmp/odd").Keys, Is.EqualTo(new[] { "/tmp/odd/fine" }));
        Assert.That(result.LeftOutFiles, Is.EqualTo(new[] { "/tmp/odd/\uFFFD" }));
        Assert.That(result.IsFileLimitReached, Is.True, "a path has more than 4095 bytes");
    }

    [Test]
    public async Task A_program_finds_the_directory_whose_files_are_wanted_and_can_write_to_it()
    {
        ProgramResult result = await _runner.RunAsync(
            new ProgramInput { Arguments = ["host-directory", "/a/out", "/tmp/none"], OutputDirectories = ["/a/out"] });

        Assert.That(result.StandardOutput, Does.StartWith("names 0\n"));
        Assert.That(result.Files("/a/out").Keys, Is.EqualTo(new[] { "/a/out/new" }));
    }

    /// <summary>A write to a page that was read before.</summary>
    [Test]
    [Platform("Linux")]
    [UnsupportedOSPlatform("windows")]
    public async Task A_file_of_the_image_that_is_changed_in_memory_is_handed_back()
    {
        using var files = new TestFiles();
        string path = files.New("file", 5000);
        File.SetUnixFileMode(path, (UnixFileMode)0x1B6);
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddSeconds(1_000_000_000));
        ProgramRunner runner = Create(
            ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions).WithFiles(new Dictionary<string, ProgramFile> { ["/out/file"] = ProgramFile.FromPath(path) }));

        ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = ["shared-file", "/out/file"], OutputDirectories = ["/out"] });

        byte[] content = TestFiles.Content(5000);
        Assert.That(result.StandardOutput, Is.EqualTo(
            $"read {(sbyte)content[0]}\nread by the kernel 1\nmodified by that 0\nmodified by a write 1\nfile {(int)'w'}\n"));
        content[0] = (byte)'w';
        Assert.That(result.Files("/out").Keys, Is.EqualTo(new[] { "/out/file" }));
        Assert.That(result.Files("/out")["/out/file"].ToArray(), Is.EqualTo(content));
    }

    [Test]
    public async Task Files_out_are_limited()
    {
        ProgramRunner runner = Create(Fixed, new ProgramLimits { OutputFileBytes = 5 });
        var files = new Dictionary<string, ReadOnlyMemory<byte>> { ["/in/a"] = "1234"u8.ToArray(), ["/in/b"] = "5678"u8.ToArray() };

        ProgramResult result = await runner.RunAsync(new ProgramInput { Arguments = ["hello"], Files = files, OutputDirectories = ["/in"] });

        Assert.That((result.Files("/in").Count, result.IsFileLimitReached), Is.EqualTo((1, true)));
    }
}
