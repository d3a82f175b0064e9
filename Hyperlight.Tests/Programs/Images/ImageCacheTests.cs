using System.Diagnostics;
using Hyperlight.Programs;
using Hyperlight.Programs.Images;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>The directory of image files.</summary>
[TestFixture]
internal sealed class ImageCacheTests : ImageTest
{
    private ProgramImage Image => ProgramImage.FromFiles(OneFile("/file", "text"), Options);

    [Test]
    public void An_image_is_written_once()
    {
        ProgramImageFile first = Build(Image);
        DateTime written = File.GetLastWriteTimeUtc(first.Path);

        ProgramImageFile second = Build(Image);

        Assert.That((first.WasCached, second.WasCached, second.Path), Is.EqualTo((false, true, first.Path)));
        Assert.That(File.GetLastWriteTimeUtc(first.Path), Is.EqualTo(written));
        Assert.That((second.Size, second.Entries), Is.EqualTo((new FileInfo(first.Path).Length, 2)));
    }

    [Test]
    public void Builds_at_the_same_time_have_the_same_file()
    {
        Task<ProgramImageFile>[] builds = [.. Enumerable.Range(0, 8).Select(_ => Image.BuildAsync())];

        ProgramImageFile[] files = Task.WhenAll(builds).GetAwaiter().GetResult();

        Assert.That(files.Select(static file => file.Path).Distinct().Count(), Is.EqualTo(1));
        Assert.That(Directory.EnumerateFiles(Options.CacheDirectory!), Is.EqualTo(new[] { files[0].Path }));
        Assert.That(new ReadImage(files[0].Path).Text("/file"), Is.EqualTo("text"));
    }

    [Test]
    public void Processes_that_build_at_the_same_time_have_the_same_file()
    {
        for (int i = 0; i < 20; i++)
        {
            Write($"file {i}", new string((char)('a' + i), 100_000));
        }

        Process[] processes = [.. Enumerable.Range(0, 3).Select(_ =>
            Process.Start(TestProcess.Command(ImageProcess.Command, Files, Options.CacheDirectory!))!)];
        string[] paths = [.. processes.Select(static process => process.StandardOutput.ReadToEnd())];
        Array.ForEach(processes, static process => process.Dispose());

        Assert.That(Directory.GetFiles(Options.CacheDirectory!), Has.Length.EqualTo(1));
        Assert.That(paths.Distinct(), Is.EqualTo(Directory.GetFiles(Options.CacheDirectory!)));
        Assert.That(new ReadImage(paths[0]).NodeCount, Is.EqualTo(21));
    }

    [Test]
    public void An_incomplete_file_is_replaced()
    {
        string path = Build(Image).Path;
        File.SetAttributes(path, FileAttributes.Normal);
        File.WriteAllText(path, "short");

        Assert.That(Build(Image).WasCached, Is.False);
        Assert.That(new ReadImage(path).Text("/file"), Is.EqualTo("text"));
    }

    [Test]
    public void A_build_that_fails_leaves_nothing_behind()
    {
        ImageCache cache = ImageCache.Open(Options.CacheDirectory);

        Assert.That(() => cache.Add("digest", 1, _ => throw new IOException("full")), Throws.TypeOf<IOException>());
        Assert.That(Directory.EnumerateFiles(Options.CacheDirectory!), Is.Empty);
    }

    [Test]
    public void A_directory_of_another_user_is_refused()
    {
        Directory.CreateDirectory(Options.CacheDirectory!);
        TestLinux.ChangeOwner(Options.CacheDirectory!, 12345);

        Assert.That(() => ImageCache.Open(Options.CacheDirectory), Throws.TypeOf<IOException>().With.Message.Contains("belongs to another user"));
    }

    [Test]
    public void An_image_that_may_not_be_read_is_an_error_of_the_image()
    {
        Build(Image);
        foreach (string directory in (string[])[Options.CacheDirectory!, Path.GetDirectoryName(Options.CacheDirectory)!])
        {
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(directory, File.GetUnixFileMode(directory) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
            }
        }

        TestLinux.ActAs(12345, () =>
        {
            Assert.That(Image.Build(null, default).WasCached, "it is found");
            Assert.That(() => ImageInUse.Open(Image, default), Throws.TypeOf<ProgramImageException>().With.InnerException.TypeOf<UnauthorizedAccessException>());
        });
    }

    [Test]
    public void What_ended_processes_left_behind_is_removed()
    {
        ImageCache.Open(Options.CacheDirectory);
        string old = WriteTemporary("old.tmp", TimeSpan.FromHours(2));
        string recent = WriteTemporary("recent.tmp", TimeSpan.FromMinutes(10));
        string used = WriteTemporary("used.tmp", TimeSpan.FromHours(2));
        using FileStream user = File.Open(used, FileMode.Open, FileAccess.ReadWrite, FileShare.None);

        Build(Image);

        Assert.That((File.Exists(old), File.Exists(recent), File.Exists(used)), Is.EqualTo((false, true, true)));
    }

    [Test]
    public void The_directory_and_the_files_are_for_the_user_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no modes.");
            return;
        }

        string path = Build(Image).Path;

        Assert.That(File.GetUnixFileMode(Options.CacheDirectory!), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(File.GetUnixFileMode(path), Is.EqualTo(UnixFileMode.UserRead));
    }

    [Test]
    public void A_directory_that_others_may_write_to_is_refused()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no modes.");
            return;
        }

        Directory.CreateDirectory(Options.CacheDirectory!);
        File.SetUnixFileMode(Options.CacheDirectory!, (UnixFileMode)0x1FF);

        Assert.That(Refused(Image).Problem, Does.EndWith("for images is not used: other users may write to it"));
    }

    [Test]
    public void A_cancelled_build_ends()
    {
        using var source = new CancellationTokenSource();
        ProgramImage image = ProgramImage.FromFiles(OneFile("/a", "a"), Options).WithFiles(OneFile("/b", "b"));
        var progress = new Reports(_ => source.Cancel());

        Assert.ThrowsAsync<OperationCanceledException>(() => image.BuildAsync(progress, source.Token)).GetAwaiter().GetResult();
        Assert.That(Directory.EnumerateFiles(Options.CacheDirectory!), Is.Empty);
    }

    [Test]
    public void Progress_is_reported()
    {
        var reports = new List<ProgramImageProgress>();

        ProgramImageFile file = Image.BuildAsync(new Reports(reports.Add)).GetAwaiter().GetResult();

        Assert.That(reports, Is.EqualTo(new ProgramImageProgress[]
        {
            new(ProgramImageStage.Reading, "file", 1, 4, null),
            new(ProgramImageStage.Writing, "", 2, file.Size - 4096 + 4, file.Size),
        }));
    }

    [Test]
    public void Options_have_ranges()
    {
        Assert.That(() => new ProgramImageOptions { MaximumSize = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramImageOptions { MaximumSize = ProgramImageOptions.LargestSize + 1 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramImageOptions { MaximumEntries = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(() => new ProgramImageOptions { MaximumCompressionRatio = 0 }, Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    private string WriteTemporary(string name, TimeSpan age)
    {
        string path = Path.Combine(Options.CacheDirectory!, name);
        File.WriteAllText(path, "");
        File.SetLastWriteTimeUtc(path, DateTime.UtcNow - age);
        return path;
    }

    private sealed class Reports(Action<ProgramImageProgress> report) : IProgress<ProgramImageProgress>
    {
        public void Report(ProgramImageProgress value) => report(value);
    }
}
