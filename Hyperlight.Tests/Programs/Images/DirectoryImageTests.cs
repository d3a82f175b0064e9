using System.Net.Sockets;
using Hyperlight.Programs;
using Hyperlight.Tests.Linux;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Images of directories of the host.</summary>
[TestFixture]
internal sealed class DirectoryImageTests : ImageTest
{
    private const string WindowsReason = "Windows has no modes, and links need a privilege.";

    private ProgramImage Image => ProgramImage.FromDirectory(Files, Options);

    [Test]
    public void An_empty_directory_is_an_image_of_a_root() => Assert.That(Read(Image).Paths, Is.Empty);

    [Test]
    public void Files_and_directories_are_in_the_image()
    {
        Write("b/ä.txt", "two");
        Write("b/a", "one");
        Write("empty", "");
        Directory.CreateDirectory(Path.Combine(Files, "a"));

        ReadImage image = Read(Image);

        Assert.That(image.Paths, Is.EqualTo(new[] { "/a", "/b", "/b/a", "/b/ä.txt", "/empty" }));
        Assert.That((image.Text("/b/a"), image.Text("/b/ä.txt"), image.Text("/empty")), Is.EqualTo(("one", "two", "")));
    }

    [Test]
    public void Names_are_sorted_by_their_bytes()
    {
        // In UTF-16, the last name is before the others.
        foreach (string name in new[] { "a", "a.b", "a-b", "ab", "A", "\uE000", "\U0001F600" })
        {
            Write(Guid.NewGuid() + name, "");
            Write(name + "x", name);
        }

        Assert.That(Read(Image).Paths.Count(), Is.EqualTo(14));
    }

    [Test]
    public void A_file_of_many_pages_is_in_the_image()
    {
        string text = string.Concat(Enumerable.Range(0, 2000).Select(static number => $"{number:X8}"));
        Write("file", text);

        Assert.That(Read(Image).Text("/file"), Is.EqualTo(text));
    }

    [Test]
    public void Files_with_the_same_bytes_share_their_pages()
    {
        Write("one", "same");
        Write("other", "same");

        ReadImage image = Read(Image);

        Assert.That(image.Nodes["/one"].Offset, Is.EqualTo(image.Nodes["/other"].Offset));
        Assert.That(image.Nodes["/one"].Inode, Is.Not.EqualTo(image.Nodes["/other"].Inode));
    }

    [Test]
    public void Modes_and_times_are_kept_and_owners_are_not()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore(WindowsReason);
            return;
        }

        string path = Write("tool", "x");
        File.SetUnixFileMode(path, UnixFileMode.UserExecute | UnixFileMode.SetUser);
        File.SetLastWriteTimeUtc(path, new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc).AddTicks(1234567));
        File.SetUnixFileMode(path, UnixFileMode.UserExecute | UnixFileMode.UserRead | UnixFileMode.SetUser);

        ReadNode node = Read(Image).Nodes["/tool"];

        Assert.That(node.Mode, Is.EqualTo(0x8000 | Convert.ToInt32("4500", 8)));
        Assert.That((node.Seconds, node.Nanoseconds), Is.EqualTo((981173106L, 123456700U)));
        Assert.That((node.User, node.Group), Is.EqualTo((0U, 0U)));
    }

    [Test]
    public void Links_stay_links_and_nothing_is_followed()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore(WindowsReason);
        }

        File.CreateSymbolicLink(Path.Combine(Files, "out"), "/etc/passwd");
        File.CreateSymbolicLink(Path.Combine(Files, "directory"), "..");
        File.CreateSymbolicLink(Path.Combine(Files, "dangling"), "none");

        ReadImage image = Read(Image);

        Assert.That(image.Paths, Is.EqualTo(new[] { "/dangling", "/directory", "/out" }));
        Assert.That((image.Text("/out"), image.Text("/directory"), image.Text("/dangling")), Is.EqualTo(("/etc/passwd", "..", "none")));
        Assert.That(image.Nodes["/out"].Mode, Is.EqualTo(0xA000 | Convert.ToInt32("777", 8)));
    }

    [Test]
    public void Hard_links_are_names_of_one_file()
    {
        RealLinux.Require();
        Write("a/one", "text");
        TestLinux.Link(Path.Combine(Files, "a/one"), Path.Combine(Files, "b"));

        ReadImage image = Read(Image);

        Assert.That(image.Nodes["/b"], Is.EqualTo(image.Nodes["/a/one"]).Using<ReadNode, ReadNode>(static (one, other) => one.Inode == other.Inode));
        Assert.That(image.NodeCount, Is.EqualTo(3));
    }

    [Test]
    public void A_socket_is_refused_with_its_name()
    {
        RealLinux.Require();
        using Socket socket = Listen();

        ProgramImageException error = Refused(Image);

        Assert.That((error.Entry, error.Message.Contains("a socket", StringComparison.Ordinal)), Is.EqualTo(("socket", true)));
    }

    [Test]
    public void A_socket_can_be_left_out()
    {
        RealLinux.Require();
        using Socket socket = Listen();
        Write("file", "");

        ProgramImageFile file = Build(ProgramImage.FromDirectory(Files, Options with { LeaveOutSpecialFiles = true }));

        Assert.That(file.LeftOut, Is.EqualTo(new[] { "socket: a socket" }));
        Assert.That(new ReadImage(file.Path).Paths, Is.EqualTo(new[] { "/file" }));
    }

    [Test]
    public void A_directory_that_does_not_exist_is_an_error() =>
        Assert.That(Refused(ProgramImage.FromDirectory(Path.Combine(Files, "none"), Options)).Problem, Is.EqualTo("there is no such directory"));

    [Test]
    public void The_same_files_have_the_same_image()
    {
        Write("a", "one");
        Write("b/c", "two");
        string first = Build(Image).Digest;
        Write("b/d", "three");
        string second = Build(Image).Digest;
        File.Delete(Path.Combine(Files, "b/d"));
        ProgramImage timeless = ProgramImage.FromDirectory(Files, Options with { ModificationTime = DateTimeOffset.UnixEpoch });
        string third = Build(timeless).Digest;
        Write("b/c", "two");
        File.SetLastWriteTimeUtc(Path.Combine(Files, "a"), DateTime.UtcNow.AddDays(1));

        Assert.That(second, Is.Not.EqualTo(first));
        Assert.That(Build(timeless).Digest, Is.EqualTo(third).And.Not.EqualTo(first));
    }

    private Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(Path.Combine(Files, "socket")));
        return socket;
    }
}
