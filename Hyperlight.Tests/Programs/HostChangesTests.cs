using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using System.Text;
using Hyperlight.Programs;
using Hyperlight.Programs.Directories;
using Hyperlight.Tests.Host.Files;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Programs;

/// <summary>What the kernel of a program changes in directories of the host is confined to them, whatever it sends.</summary>
[TestFixture]
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class HostChangesTests
{
    private const int None = 0;
    private const int NotPermitted = 1;
    private const int NotFound = 2;
    private const int AccessDenied = 13;
    private const int Busy = 16;
    private const int Exists = 17;
    private const int OtherDevice = 18;
    private const int NotDirectory = 20;
    private const int IsDirectory = 21;
    private const int InvalidArgument = 22;
    private const int TooLargeFile = 27;
    private const int ReadOnly = 30;
    private const int NameTooLong = 36;
    private const int NotEmpty = 39;
    private const int IsLink = 40;
    private const int InvalidText = 84;
    private const int Quota = 122;

    private const int Bytes = 100_000;
    private const int Files = 20;

    private TestFiles _files = null!;
    private HostDirectories _directories = null!;

    [SetUp]
    public void Create()
    {
        _files = new TestFiles();
        Directory.CreateDirectory(PathOf("other"));
        Directory.CreateDirectory(PathOf("outside/directory"));
        File.WriteAllText(PathOf("outside/secret"), "secret");
        Directory.CreateDirectory(PathOf("readable"));
        File.WriteAllText(PathOf("readable/a"), "read");
        Populate();
        _directories = Open(long.MaxValue);
    }

    [TearDown]
    public void Delete()
    {
        _directories.Dispose();
        Assert.That(OpenDescriptors.Below(_files.Directory), Is.Empty, "left open");
        Assert.That(Outside(), Is.EqualTo(new[] { "directory", "secret" }), "what is outside");
        Assert.That(File.ReadAllText(PathOf("outside/secret")), Is.EqualTo("secret"));
        _files.Dispose();
    }

    [Test]
    public void Files_are_created_written_and_removed()
    {
        Assert.That(Change(HostChanges.Step.CreateFile, "/data/new", value: 0x1A4), Is.EqualTo(None));
        Assert.That(Written(HostChanges.Step.Write, "/data/new", "hello"u8.ToArray(), 0), Is.EqualTo((None, 5, 0L)));
        Assert.That(Written(HostChanges.Step.Append, "/data/new", " more"u8.ToArray(), 0), Is.EqualTo((None, 5, 5L)));
        Assert.That(Written(HostChanges.Step.Write, "/data/new", "J"u8.ToArray(), 0), Is.EqualTo((None, 1, 0L)));
        Assert.That(File.ReadAllText(PathOf("shared/new")), Is.EqualTo("Jello more"));
        Assert.That(Change(HostChanges.Step.Resize, "/data/new", value: 3), Is.EqualTo(None));
        Assert.That(File.ReadAllText(PathOf("shared/new")), Is.EqualTo("Jel"));
        Assert.That(Change(HostChanges.Step.Synchronize, "/data/new"), Is.EqualTo(None));
        Assert.That(Change(HostChanges.Step.RemoveFile, "/data/new"), Is.EqualTo(None));
        Assert.That(Change(HostChanges.Step.RemoveFile, "/data/new"), Is.EqualTo(NotFound));
        Assert.That(Written(HostChanges.Step.Write, "/data/new", "hello"u8.ToArray(), 0), Is.EqualTo((NotFound, 0, 0L)), "not what was open");
    }

    [Test]
    public void Directories_are_created_renamed_and_removed()
    {
        Assert.That(Change(HostChanges.Step.CreateDirectory, "/data/new", value: 0), Is.EqualTo(None));
        Assert.That(File.GetUnixFileMode(PathOf("shared/new")), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(Change(HostChanges.Step.CreateDirectory, "/data/new"), Is.EqualTo(Exists));
        Assert.That(Rename("/data/a", "/data/new/a"), Is.EqualTo(None));
        Assert.That(Change(HostChanges.Step.RemoveDirectory, "/data/new"), Is.EqualTo(NotEmpty));
        Assert.That(Rename("/data/new", "/data/sub/moved"), Is.EqualTo(None));
        Assert.That(Rename("/data/sub/moved/a", "/data/sub/b", 1), Is.EqualTo(Exists));
        Assert.That(Rename("/data/sub/moved/a", "/data/sub/b"), Is.EqualTo(None));
        Assert.That(File.ReadAllText(PathOf("shared/sub/b")), Is.EqualTo("text"));
        Assert.That(Change(HostChanges.Step.RemoveDirectory, "/data/sub/moved"), Is.EqualTo(None));
        Assert.That(Change(HostChanges.Step.RemoveDirectory, "/data/sub/b"), Is.EqualTo(NotDirectory));
        Assert.That(Change(HostChanges.Step.RemoveFile, "/data/sub"), Is.EqualTo(IsDirectory));
    }

    [TestCase("/data/link", IsLink)]
    [TestCase("/data/dangling", IsLink)]
    [TestCase("/data/pipe", AccessDenied)]
    [TestCase("/data/sub", IsDirectory)]
    [TestCase("/data/up/secret", NotDirectory)]
    [TestCase("/data/a/b", NotDirectory)]
    [TestCase("/data/none", NotFound)]
    [TestCase("/data/none/a", NotFound)]
    [TestCase("/data/../outside/secret", NotFound)]
    [TestCase("/data/sub/../../outside/secret", NotFound)]
    [TestCase("/data/./a", NotFound)]
    [TestCase("/data//a", NotFound)]
    [TestCase("/data/", NotFound)]
    [TestCase("/data", NotPermitted)]
    [TestCase("/database", NotFound)]
    [TestCase("/etc/passwd", NotFound)]
    [TestCase("/", NotFound)]
    [TestCase("", NotFound)]
    [TestCase("a", NotFound)]
    [TestCase("/data/a\0", InvalidArgument)]
    [TestCase("/read/a", ReadOnly)]
    public void Nothing_but_files_in_the_directory_is_written(string path, int error)
    {
        Assert.That(Written(HostChanges.Step.Write, path, "changed"u8.ToArray(), 0), Is.EqualTo((error, 0, 0L)));
        Assert.That(Written(HostChanges.Step.Append, path, "changed"u8.ToArray(), 0), Is.EqualTo((error, 0, 0L)));
        Assert.That(Change(HostChanges.Step.Check, path), Is.EqualTo(error));
        Assert.That(Change(HostChanges.Step.Resize, path), Is.EqualTo(error));
    }

    [Test]
    public void Links_are_not_followed_when_something_is_created([Values("link", "dangling", "up", "pipe")] string name)
    {
        Assert.That(Change(HostChanges.Step.CreateFile, $"/data/{name}", value: 0x1A4), Is.EqualTo(Exists));
        Assert.That(Change(HostChanges.Step.CreateDirectory, $"/data/{name}", value: 0x1A4), Is.EqualTo(Exists));
        Assert.That(Change(HostChanges.Step.CreateFile, $"/data/{name}/new", value: 0x1A4), Is.EqualTo(NotDirectory));
        Assert.That(Rename("/data/a", $"/data/{name}/a"), Is.EqualTo(NotDirectory));
        Assert.That(Change(HostChanges.Step.SetMode, $"/data/{name}", value: 0x1FF), Is.EqualTo(name == "pipe" ? AccessDenied : IsLink));
        Assert.That(Change(HostChanges.Step.RemoveFile, $"/data/{name}"), Is.EqualTo(None), "the link itself");
    }

    [Test]
    public void What_a_program_does_not_see_is_not_moved([Values("link", "dangling", "up", "pipe")] string name)
    {
        const int Exchange = 2;
        Assert.That(Rename($"/data/{name}", "/data/moved"), Is.EqualTo(NotFound));
        Assert.That(Rename($"/data/{name}", "/data/a", Exchange), Is.EqualTo(NotFound));
        Assert.That(Rename("/data/a", $"/data/{name}", Exchange), Is.EqualTo(NotFound));
        Assert.That(File.ReadAllText(PathOf("shared/a")), Is.EqualTo("text"));
        Assert.That(Rename("/data/a", $"/data/{name}"), Is.EqualTo(None), "it is replaced, as it can be removed");
    }

    [Test]
    public void What_the_application_puts_at_a_name_is_what_is_written()
    {
        Assert.That(Written(HostChanges.Step.Write, "/data/a", "1"u8.ToArray(), 0), Is.EqualTo((None, 1, 0L)));
        File.Move(PathOf("shared/a"), PathOf("shared/old"));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", "2"u8.ToArray(), 0), Is.EqualTo((NotFound, 0, 0L)));
        File.WriteAllText(PathOf("shared/a"), "new");
        Assert.That(Written(HostChanges.Step.Write, "/data/a", "3"u8.ToArray(), 0), Is.EqualTo((None, 1, 0L)));
        File.Delete(PathOf("shared/a"));
        File.CreateSymbolicLink(PathOf("shared/a"), PathOf("shared/old"));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", "4"u8.ToArray(), 0), Is.EqualTo((IsLink, 0, 0L)));
        Assert.That(File.ReadAllText(PathOf("shared/old")), Is.EqualTo("1ext"));
    }

    /// <summary>The superuser writes a file without taking the permission from it that it is executed as its owner.</summary>
    [TestCase(UnixFileMode.SetUser)]
    [TestCase(UnixFileMode.SetGroup)]
    public void A_file_that_is_executed_as_another_user_is_not_written(UnixFileMode special)
    {
        File.SetUnixFileMode(PathOf("shared/a"), special | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        Assert.That(Written(HostChanges.Step.Write, "/data/a", "1"u8.ToArray(), 0), Is.EqualTo((NotPermitted, 0, 0L)));
        Assert.That(Written(HostChanges.Step.Append, "/data/a", "1"u8.ToArray(), 0), Is.EqualTo((NotPermitted, 0, 0L)));
        Assert.That(Change(HostChanges.Step.Resize, "/data/a"), Is.EqualTo(NotPermitted));
        Assert.That(File.ReadAllText(PathOf("shared/a")), Is.EqualTo("text"));
    }

    [Test]
    public void Times_are_those_of_a_link_itself()
    {
        DateTime before = File.GetLastWriteTimeUtc(PathOf("outside/secret"));

        Assert.That(Change(HostChanges.Step.SetTimes, "/data/link", Times(1, 0, 2, 0)), Is.EqualTo(None));
        Assert.That(Change(HostChanges.Step.SetTimes, "/data/a", Times(1, 0, 1_000_000_000, 500)), Is.EqualTo(None));

        Assert.That(File.GetLastWriteTimeUtc(PathOf("outside/secret")), Is.EqualTo(before));
        Assert.That(File.GetLastWriteTimeUtc(PathOf("shared/a")), Is.EqualTo(DateTime.UnixEpoch.AddSeconds(1_000_000_000).AddTicks(5)));
    }

    [Test]
    public void Modes_have_no_special_bits_and_not_more_than_the_process_gives()
    {
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        UnixFileMode usual = Mode(0x1FF & ~ProcessMask.Value);

        Assert.That(Change(HostChanges.Step.CreateFile, "/data/special", value: 0xFFF), Is.EqualTo(None));
        Assert.That(File.GetUnixFileMode(PathOf("shared/special")), Is.EqualTo(usual));
        Assert.That(Change(HostChanges.Step.SetMode, "/data/a", value: -1), Is.EqualTo(None));
        Assert.That(File.GetUnixFileMode(PathOf("shared/a")), Is.EqualTo(usual));
        Assert.That(Change(HostChanges.Step.SetMode, "/data/a", value: 0), Is.EqualTo(None));
        Assert.That(File.GetUnixFileMode(PathOf("shared/a")), Is.EqualTo(Owner));
        Assert.That(Change(HostChanges.Step.SetMode, "/data/sub", value: 0), Is.EqualTo(None));
        Assert.That(File.GetUnixFileMode(PathOf("shared/sub")), Is.EqualTo(Owner | UnixFileMode.UserExecute));
        Assert.That(Change(HostChanges.Step.SetMode, "/data", value: 0x1FF), Is.EqualTo(NotPermitted));
    }

    [Test]
    public void What_is_no_change_is_an_error()
    {
        byte[] one = [1];
        string longest = new('n', 255);

        Assert.That(Written(HostChanges.Step.Write, "/data/a", [], 0).Error, Is.EqualTo(InvalidArgument));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", new byte[0x4001], 0).Error, Is.EqualTo(InvalidArgument));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", one, -1).Error, Is.EqualTo(InvalidArgument));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", one, long.MinValue).Error, Is.EqualTo(InvalidArgument));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", one, long.MaxValue).Error, Is.EqualTo(TooLargeFile));
        Assert.That(Change(HostChanges.Step.Resize, "/data/a", value: -1), Is.EqualTo(InvalidArgument));
        Assert.That(Change(HostChanges.Step.Resize, "/data/a", value: long.MaxValue), Is.EqualTo(Quota));
        Assert.That(Change((HostChanges.Step)12, "/data/a"), Is.EqualTo(InvalidArgument));
        Assert.That(Change((HostChanges.Step)(-1), "/data/a"), Is.EqualTo(InvalidArgument));
        Assert.That(Change(HostChanges.Step.SetTimes, "/data/a", new byte[31]), Is.EqualTo(InvalidArgument));
        Assert.That(Change(HostChanges.Step.SetTimes, "/data/a", Times(0, 1_000_000_000, 0, 0)), Is.EqualTo(InvalidArgument));
        Assert.That(Change(HostChanges.Step.SetTimes, "/data/a", Times(1L << 62, 0, 0, 0)), Is.EqualTo(InvalidArgument), "no DateTime has it");
        Assert.That(Change(HostChanges.Step.SetTimes, "/data/a", Times(0, 0, -62_135_596_801, 0)), Is.EqualTo(InvalidArgument), "no DateTime has it");
        Assert.That(ErrorOf(_directories.Change(0, [.. "/data/"u8, 0xFF], [], 0)), Is.EqualTo(InvalidText));
        Assert.That(Change(HostChanges.Step.CreateFile, $"/data/{longest}n"), Is.EqualTo(NameTooLong));
        Assert.That(Change(HostChanges.Step.CreateFile, $"/data/{longest}"), Is.EqualTo(None));
        Assert.That(Change(HostChanges.Step.CreateFile, "/data/" + string.Concat(Enumerable.Repeat("n/", 3000))), Is.EqualTo(NameTooLong));
        Assert.That(Rename("/data/a", "/data/b", 3), Is.EqualTo(InvalidArgument));
        Assert.That(Rename("/data/a", "/data/b", 4), Is.EqualTo(InvalidArgument), "a whiteout");
        Assert.That(Rename("/data/a", "/data/b", -1), Is.EqualTo(InvalidArgument));
        Assert.That(Rename("/data/a", "/data/sub/../../outside/a"), Is.EqualTo(NotFound));
        Assert.That(Rename("/data/a", "/etc/a"), Is.EqualTo(OtherDevice));
        Assert.That(Rename("/data/a", "/other/a"), Is.EqualTo(OtherDevice));
        Assert.That(Rename("/data/a", "/read/a"), Is.EqualTo(OtherDevice));
        Assert.That(Rename("/read/a", "/data/c"), Is.EqualTo(ReadOnly));
        Assert.That(Rename("/data/a", "/data"), Is.EqualTo(Busy));
        Assert.That(Rename("/data", "/data/b"), Is.EqualTo(NotPermitted));
        Assert.That(Change(HostChanges.Step.RemoveDirectory, "/data"), Is.EqualTo(NotPermitted));
        Assert.That(File.ReadAllText(PathOf("shared/a")), Is.EqualTo("text"));
    }

    [Test]
    public void A_run_cannot_write_more_bytes_than_it_may()
    {
        byte[] part = new byte[0x4000];
        long total = 0;
        (int Error, int Count, long Offset) written;
        while ((written = Written(HostChanges.Step.Write, "/data/a", part, 0)).Error == None)
        {
            total += written.Count;
        }

        Assert.That((total, written.Error), Is.EqualTo(((long)Bytes, Quota)));
        Assert.That(Written(HostChanges.Step.Append, "/data/sub/b", part, 0).Error, Is.EqualTo(Quota));
        Assert.That(Change(HostChanges.Step.Resize, "/data/a", value: 10), Is.EqualTo(None), "a shorter file");
        Assert.That(Change(HostChanges.Step.Resize, "/data/a", value: 11), Is.EqualTo(Quota), "a longer file");
        Assert.That(Change(HostChanges.Step.CreateFile, "/data/empty"), Is.EqualTo(None), "an empty file");
        Assert.That(Written(HostChanges.Step.Write, "/other/none", part, 0).Error, Is.EqualTo(NotFound), "in another directory");
    }

    [Test]
    public void Holes_count_as_bytes()
    {
        Assert.That(Written(HostChanges.Step.Write, "/data/a", [1], Bytes + 4).Error, Is.EqualTo(Quota));
        Assert.That(Change(HostChanges.Step.Resize, "/data/a", value: Bytes + 5), Is.EqualTo(Quota));
        Assert.That(Change(HostChanges.Step.Resize, "/data/a", value: 50_004), Is.EqualTo(None));
        Assert.That(Written(HostChanges.Step.Write, "/data/a", new byte[10], 100_000), Is.EqualTo((None, 4, 100_000L)), "as many as there is room for");
        Assert.That(Written(HostChanges.Step.Write, "/data/a", [1], 0).Error, Is.EqualTo(Quota));
    }

    [Test]
    public void A_run_cannot_create_more_files_than_it_may()
    {
        for (int i = 0; i < Files; i++)
        {
            Assert.That(Change(i % 2 == 0 ? HostChanges.Step.CreateFile : HostChanges.Step.CreateDirectory, $"/data/{i}"), Is.EqualTo(None));
            Assert.That(Change(i % 2 == 0 ? HostChanges.Step.RemoveFile : HostChanges.Step.RemoveDirectory, $"/data/{i}"), Is.EqualTo(None));
        }

        Assert.That(Change(HostChanges.Step.CreateFile, "/data/one-more"), Is.EqualTo(Quota));
        Assert.That(Change(HostChanges.Step.CreateDirectory, "/data/one-more"), Is.EqualTo(Quota));
    }

    /// <summary>The kernel ends a process that exceeds its own limit (RLIMIT_FSIZE).</summary>
    [Test]
    public void No_file_becomes_larger_than_the_process_may_write()
    {
        using HostDirectories limited = Open(maximumFileSize: 1000);

        Assert.That(ErrorOf(limited.Change((int)HostChanges.Step.Write, "/data/a"u8, new byte[10], 991)), Is.EqualTo(TooLargeFile));
        Assert.That(ErrorOf(limited.Change((int)HostChanges.Step.Append, "/data/a"u8, new byte[997], 0)), Is.EqualTo(TooLargeFile));
        Assert.That(ErrorOf(limited.Change((int)HostChanges.Step.Resize, "/data/a"u8, [], 1001)), Is.EqualTo(TooLargeFile));
        Assert.That(ErrorOf(limited.Change((int)HostChanges.Step.Write, "/data/a"u8, new byte[10], 990)), Is.EqualTo(None));
    }

    [Test]
    public void What_the_host_may_not_change_has_the_error_of_the_host()
    {
        if (Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("The superuser may write to all files.");
        }

        File.SetUnixFileMode(PathOf("shared/a"), UnixFileMode.UserRead);
        File.SetUnixFileMode(PathOf("shared/sub"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            Assert.That(Change(HostChanges.Step.Check, "/data/a"), Is.EqualTo(AccessDenied));
            Assert.That(Change(HostChanges.Step.CreateFile, "/data/sub/new"), Is.EqualTo(AccessDenied));
            Assert.That(Change(HostChanges.Step.RemoveFile, "/data/sub/b"), Is.EqualTo(AccessDenied));
        }
        finally
        {
            File.SetUnixFileMode(PathOf("shared/sub"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Test]
    public void A_full_disk_has_the_error_of_the_host()
    {
        const int NoSpace = 28;
        if (!Environment.IsPrivilegedProcess || !SpecialFiles.TryMount(PathOf("other"), "size=64k"))
        {
            Assert.Ignore("This process cannot mount a small file system.");
        }

        try
        {
            using var directories = new HostDirectories(
                new DirectoryMounts(new Dictionary<string, ProgramDirectory> { ["/data"] = new(PathOf("other")) { IsWritable = true } }));
            Assert.That(ErrorOf(directories.Change((int)HostChanges.Step.CreateFile, "/data/large"u8, [], 0x1A4)), Is.EqualTo(None));
            int error = None;
            for (long offset = 0; error == None && offset < 1 << 20; offset += 0x4000)
            {
                error = ErrorOf(directories.Change((int)HostChanges.Step.Write, "/data/large"u8, new byte[0x4000], offset));
            }

            Assert.That(error, Is.EqualTo(NoSpace));
        }
        finally
        {
            SpecialFiles.Unmount(PathOf("other"));
        }
    }

    [Test]
    public void Random_requests_change_nothing_else()
    {
        const int Count = 20_000;
        string[] names = ["data", "data", "data", "data", "read", "other", "sub", "sub", "a", "b", "c", "link", "dangling", "up", "pipe", "outside", "secret", "..", ".", "", "x\0y", new('n', 300), "etc"];
        long[] values = [0, 1, 2, 3, 4, -1, 0x1A4, 0xFFF, 1000, 90_000, int.MaxValue, long.MaxValue, long.MinValue, 1L << 40];
        int seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        int changes = 0;
        for (int i = 0; i < Count; i++)
        {
            if (i % 250 == 0)
            {
                // With the files, and the limits, of a new run.
                _directories.Dispose();
                Directory.Delete(PathOf("shared"), recursive: true);
                Populate();
                _directories = Open(long.MaxValue);
            }

            int step = random.Next(-1, 14);
            byte[] path = RandomPath();
            byte[] bytes = random.Next(4) switch
            {
                0 => RandomPath(),
                1 => Times(random.Next(), random.Next(), random.Next(), random.Next()),
                2 => new byte[random.Next(0x4100)],
                _ => [],
            };
            byte[] answer = _directories.Change(step, path, bytes, values[random.Next(values.Length)]);
            int error = ErrorOf(answer);
            changes += error == None ? 1 : 0;
            Assert.That(answer, Has.Length.EqualTo(16));
            Assert.That(error, Is.InRange(0, 133));
            Assert.That(BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(4)), Is.InRange(0, bytes.Length));
            if (i % 100 == 0)
            {
                Assert.That(OpenDescriptors.Below(_files.Directory), Has.Count.LessThanOrEqualTo(4), "the three directories, and the file that was written last");
            }
        }

        TestContext.Out.WriteLine($"{changes} changes");
        Assert.That(changes, Is.GreaterThan(100));
        Assert.That(File.ReadAllText(PathOf("readable/a")), Is.EqualTo("read"));

        byte[] RandomPath() => Encoding.UTF8.GetBytes(
            string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => "/" + names[random.Next(names.Length)]))[(random.Next(20) == 0 ? 1 : 0)..]);
    }

    /// <summary>A directory and a link to another one take turns under one name, and a file and a link to another one, while both are changed.</summary>
    [Test]
    public void What_is_exchanged_meanwhile_leads_nowhere_else()
    {
        const int Count = 3000;
        Directory.CreateDirectory(PathOf("shared/inside"));
        using var end = new CancellationTokenSource();
        Task exchange = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                Directory.Move(PathOf("shared/inside"), PathOf("kept"));
                Directory.CreateSymbolicLink(PathOf("shared/inside"), PathOf("outside"));
                File.Delete(PathOf("shared/secret"));
                File.CreateSymbolicLink(PathOf("shared/secret"), PathOf("outside/secret"));
                Directory.Delete(PathOf("shared/inside"));
                Directory.Move(PathOf("kept"), PathOf("shared/inside"));
                File.Delete(PathOf("shared/secret"));
                File.WriteAllText(PathOf("shared/secret"), "");
            }
        });
        int changes = 0;
        try
        {
            for (int i = 0; i < Count; i++)
            {
                using HostDirectories directories = Open(long.MaxValue);
                changes += Try(directories, HostChanges.Step.CreateFile, "/data/inside/new", []);
                changes += Try(directories, HostChanges.Step.Write, "/data/inside/secret", "changed"u8);
                changes += Try(directories, HostChanges.Step.Append, "/data/secret", "changed"u8);
                changes += Try(directories, HostChanges.Step.Resize, "/data/secret", []);
                changes += Try(directories, HostChanges.Step.CreateDirectory, "/data/inside/made", []);
                changes += Try(directories, HostChanges.Step.Rename, "/data/a", "/data/inside/a"u8);
                changes += Try(directories, HostChanges.Step.Rename, "/data/inside/a", "/data/a"u8);
                changes += Try(directories, HostChanges.Step.RemoveFile, "/data/inside/secret", []);
                changes += Try(directories, HostChanges.Step.RemoveDirectory, "/data/inside/directory", []);
                changes += Try(directories, HostChanges.Step.RemoveFile, "/data/inside/new", []);
                changes += Try(directories, HostChanges.Step.RemoveDirectory, "/data/inside/made", []);
                Assert.That(Outside(), Is.EqualTo(new[] { "directory", "secret" }));
                Assert.That(File.ReadAllText(PathOf("outside/secret")), Is.EqualTo("secret"));
            }
        }
        finally
        {
            end.Cancel();
            exchange.Wait();
        }

        TestContext.Out.WriteLine($"{changes} of {11 * Count} were made");
        Assert.That(changes, Is.GreaterThan(0));
    }

    [Test]
    public void The_entry_of_one_path_is_that_of_the_list()
    {
        byte[] entry = _directories.Answer((int)HostDirectories.Step.Entry, "/data/a"u8, 0).ToArray();
        byte[] list = _directories.Answer((int)HostDirectories.Step.List, "/data"u8, 0).ToArray();

        Assert.That(entry, Is.EqualTo(list[..(4 + 32 + 1)]));
        foreach (string path in new[] { "/data/link", "/data/pipe", "/data/none", "/data/..", "/data", "/etc/passwd" })
        {
            Assert.That(ErrorOf(_directories.Answer((int)HostDirectories.Step.Entry, Encoding.UTF8.GetBytes(path), 0).ToArray()), Is.EqualTo(NotFound), path);
        }
    }

    private HostDirectories Open(long maximumFileSize)
    {
        var directories = new Dictionary<string, ProgramDirectory>
        {
            ["/data"] = new(PathOf("shared")) { IsWritable = true, MaximumBytes = Bytes, MaximumFiles = Files },
            ["/other"] = new(PathOf("other")) { IsWritable = true },
            ["/read"] = PathOf("readable"),
        };
        return new HostDirectories(new DirectoryMounts(directories), maximumFileSize);
    }

    private void Populate()
    {
        Directory.CreateDirectory(PathOf("shared/sub"));
        File.WriteAllText(PathOf("shared/a"), "text");
        File.WriteAllText(PathOf("shared/sub/b"), "more");
        File.CreateSymbolicLink(PathOf("shared/link"), PathOf("outside/secret"));
        File.CreateSymbolicLink(PathOf("shared/dangling"), PathOf("outside/new"));
        Directory.CreateSymbolicLink(PathOf("shared/up"), PathOf("outside"));
        SpecialFiles.Pipe(PathOf("shared/pipe"));
    }

    private string PathOf(string name) => Path.Combine(_files.Directory, name);

    private string[] Outside() => [.. Directory.GetFileSystemEntries(PathOf("outside")).Select(Path.GetFileName).OfType<string>().Order()];

    private static UnixFileMode Mode(int mode) => (UnixFileMode)mode;

    private static byte[] Times(params long[] times) => MemoryMarshal.AsBytes<long>(times).ToArray();

    private int Change(HostChanges.Step step, string path, byte[]? bytes = null, long value = 0) =>
        ErrorOf(_directories.Change((int)step, Encoding.UTF8.GetBytes(path), bytes ?? [], value));

    private int Rename(string path, string newPath, long flags = 0) => Change(HostChanges.Step.Rename, path, Encoding.UTF8.GetBytes(newPath), flags);

    private (int Error, int Count, long Offset) Written(HostChanges.Step step, string path, byte[] bytes, long offset)
    {
        byte[] answer = _directories.Change((int)step, Encoding.UTF8.GetBytes(path), bytes, offset);
        return (ErrorOf(answer), BinaryPrimitives.ReadInt32LittleEndian(answer.AsSpan(4)), BinaryPrimitives.ReadInt64LittleEndian(answer.AsSpan(8)));
    }

    private static int Try(HostDirectories directories, HostChanges.Step step, string path, ReadOnlySpan<byte> bytes) =>
        ErrorOf(directories.Change((int)step, Encoding.UTF8.GetBytes(path), bytes, 0)) == None ? 1 : 0;

    private static int ErrorOf(byte[] answer) => BinaryPrimitives.ReadInt32LittleEndian(answer);
}
