using System.Runtime.Versioning;
using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Tests.Host.Files;

/// <summary>What both ways of using a directory promise: that of Linux, and that of every other platform.</summary>
[TestFixture("linux")]
[TestFixture("portable")]
internal sealed class OpenDirectoryTests(string kind)
{
    private string _path = null!;
    private OpenDirectory _directory = null!;

    [SetUp]
    public void Open()
    {
        if (kind == "linux" && !OperatingSystem.IsLinux())
        {
            Assert.Ignore("This machine does not run Linux.");
        }

        _path = Directory.CreateTempSubdirectory("hyperlight-").FullName;
        _directory = TryOpen(_path)!;
    }

    [TearDown]
    public void Close()
    {
        _directory?.Dispose();
        if (_path is not null)
        {
            Directory.Delete(_path, recursive: true);
        }
    }

    [Test]
    public void A_missing_directory_is_reported_and_a_file_is_an_error()
    {
        Assert.That(TryOpen(PathOf("none")), Is.Null);
        Assert.That(_directory.TryOpenDirectory("none"), Is.Null);
        Assert.That(_directory.TryOpenFile("none"), Is.Null);
        File.WriteAllText(PathOf("file"), "x");
        Assert.That(() => TryOpen(PathOf("file")), Throws.InstanceOf<IOException>());
        Assert.That(() => _directory.TryOpenDirectory("file"), Throws.InstanceOf<IOException>());
    }

    [Test]
    public void A_link_to_a_directory_is_followed_in_a_path_and_not_in_a_directory()
    {
        Directory.CreateDirectory(PathOf("real"));
        File.CreateSymbolicLink(PathOf("link"), "real");

        using OpenDirectory? followed = TryOpen(PathOf("link"));
        Assert.That(followed, Is.Not.Null);
        Assert.That(() => _directory.TryOpenDirectory("link"), Throws.InstanceOf<IOException>().With.Message.Contains("symbolic link"));
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public void Created_files_and_directories_are_accessible_to_the_user_only()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("Windows has no modes.");
        }

        const UnixFileMode file = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _directory.CreateFile("new").Dispose();
        _directory.TryLock("lock", create: true, out SafeFileHandle? locked);
        locked!.Dispose();
        _directory.CreateDirectory("directory");

        Assert.That(File.GetUnixFileMode(PathOf("new")), Is.EqualTo(file));
        Assert.That(File.GetUnixFileMode(PathOf("lock")), Is.EqualTo(file));
        Assert.That(File.GetUnixFileMode(PathOf("directory")), Is.EqualTo(file | UnixFileMode.UserExecute));
        File.SetUnixFileMode(PathOf("lock"), file | UnixFileMode.GroupRead);
        _directory.TryLock("lock", create: true, out locked);
        locked!.Dispose();
        Assert.That(File.GetUnixFileMode(PathOf("lock")), Is.EqualTo(file | UnixFileMode.GroupRead), "what exists keeps its mode");
    }

    [Test]
    public void A_file_is_created_once()
    {
        using (SafeFileHandle file = _directory.CreateFile("file"))
        {
            RandomAccess.Write(file, "abc"u8, 0);
        }

        Assert.That(File.ReadAllText(PathOf("file")), Is.EqualTo("abc"));
        Assert.That(() => _directory.CreateFile("file"), Throws.InstanceOf<IOException>());
        File.CreateSymbolicLink(PathOf("link"), PathOf("target"));
        Assert.That(() => _directory.CreateFile("link"), Throws.InstanceOf<IOException>());
        Assert.That(PathOf("target"), Does.Not.Exist);
    }

    [Test]
    public void A_link_is_not_opened()
    {
        File.WriteAllText(PathOf("file"), "x");
        File.CreateSymbolicLink(PathOf("link"), PathOf("file"));

        Assert.That(() => _directory.TryOpenFile("link"), Throws.InstanceOf<IOException>().With.Message.Contains("symbolic link"));
        Assert.That(() => _directory.TryLock("link", create: true, out _), Throws.InstanceOf<IOException>());
        using SafeFileHandle? opened = _directory.TryOpenFile("file");
        Assert.That(opened, Is.Not.Null);
    }

    [Test]
    public void A_name_is_replaced_the_link_itself_too()
    {
        File.WriteAllText(PathOf("outside"), "outside");
        File.CreateSymbolicLink(PathOf("link"), PathOf("outside"));
        File.WriteAllText(PathOf("new"), "new");

        _directory.Rename("new", "link");

        Assert.That(File.ReadAllText(PathOf("outside")), Is.EqualTo("outside"));
        Assert.That(File.ReadAllText(PathOf("link")), Is.EqualTo("new"));
        Assert.That(new FileInfo(PathOf("link")).LinkTarget, Is.Null);
    }

    [Test]
    public void Removing_a_link_does_not_remove_its_target()
    {
        File.WriteAllText(PathOf("file"), "x");
        File.CreateSymbolicLink(PathOf("link"), PathOf("file"));

        _directory.DeleteFile("link");
        _directory.DeleteFile("none");

        Assert.That(_directory.Names(), Is.EqualTo(new[] { "file" }));
    }

    [Test]
    public void A_directory_is_created_once_and_removed_if_it_is_empty()
    {
        Assert.That(_directory.CreateDirectory("new"), Is.True);
        Assert.That(_directory.CreateDirectory("new"), Is.False);
        File.WriteAllText(Path.Combine(PathOf("new"), "x"), "x");
        Assert.That(() => _directory.DeleteDirectory("new"), Throws.InstanceOf<IOException>());
        File.Delete(Path.Combine(PathOf("new"), "x"));

        _directory.DeleteDirectory("new");
        Assert.That(_directory.Names(), Is.Empty);
    }

    [Test]
    public void All_names_are_listed_each_time()
    {
        string[] names = [.. Enumerable.Range(0, 1000).Select(i => $"a long name of a file, number {i}"), "\u00e4\u4e2d"];
        foreach (string name in names)
        {
            File.WriteAllText(PathOf(name), "");
        }

        Assert.That(_directory.Names(), Is.EquivalentTo(names));
        Assert.That(_directory.Names(), Is.EquivalentTo(names));
    }

    [Test]
    public void A_lock_is_held_until_it_is_closed()
    {
        Assert.That(_directory.TryLock("lock", create: false, out _), Is.EqualTo(LockResult.Missing));
        Assert.That(_directory.TryLock("lock", create: true, out SafeFileHandle? held), Is.EqualTo(LockResult.Locked));
        Assert.That(_directory.TryLock("lock", create: true, out SafeFileHandle? other), Is.EqualTo(LockResult.InUse));
        Assert.That(other, Is.Null);
        Assert.That(() => new FileStream(PathOf("lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None), Throws.InstanceOf<IOException>());
        held!.Dispose();
        Assert.That(_directory.TryLock("lock", create: false, out held), Is.EqualTo(LockResult.Locked));
        held!.Dispose();
    }

    [Test]
    public void Only_regular_files_are_opened_without_blocking()
    {
        if (kind == "portable")
        {
            Assert.Ignore("What .NET offers on every platform waits for a pipe's other end.");
        }

        foreach ((string what, Action<string> plant) in SpecialFiles.All())
        {
            plant(PathOf("x"));
            Deadline.Run(() => Assert.That(() => _directory.TryOpenFile("x"), Throws.InstanceOf<IOException>(), what), what);
            Deadline.Run(() => Assert.That(() => _directory.TryLock("x", true, out _), Throws.InstanceOf<IOException>(), what), what);
            SpecialFiles.Remove(PathOf("x"));
            File.Delete(PathOf("x.pipe"));
        }
    }

    [Test]
    public void The_directory_stays_the_one_that_was_opened()
    {
        if (kind == "portable")
        {
            Assert.Ignore("A directory that is known by its path is whatever stands there.");
        }

        Directory.CreateDirectory(PathOf("a"));
        using OpenDirectory opened = _directory.TryOpenDirectory("a")!;
        Directory.Move(PathOf("a"), PathOf("b"));
        Directory.CreateDirectory(PathOf("a"));

        opened.CreateFile("file").Dispose();

        Assert.That(Path.Combine(PathOf("b"), "file"), Does.Exist);
        Assert.That(Directory.GetFileSystemEntries(PathOf("a")), Is.Empty);
    }

    private OpenDirectory? TryOpen(string path) => kind == "linux" ? LinuxDirectory.TryOpen(path) : PortableDirectory.TryOpen(path);

    private string PathOf(string name) => Path.Combine(_path, name);
}
