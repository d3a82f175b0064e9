using System.Formats.Tar;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Images of tar archives, hostile ones included.</summary>
[TestFixture]
internal sealed class TarImageTests : ImageTest
{
    private const int BlockSize = 512;

    [Test]
    public void An_archive_becomes_an_image([Values] bool isCompressed)
    {
        TarFile tar = new TarFile().Directory("./", UnixFileMode.UserExecute).Directory("etc/").File("./etc/one", "text").Link("lib", "/usr/lib")
            .HardLink("other", "etc/one").File("a/b", "implicit");

        ReadImage image = Read(Image(isCompressed ? tar.Compressed() : tar.Bytes()));

        Assert.That(image.Paths, Is.EqualTo(new[] { "/a", "/a/b", "/etc", "/etc/one", "/lib", "/other" }));
        Assert.That((image.Text("/etc/one"), image.Text("/other"), image.Text("/lib")), Is.EqualTo(("text", "text", "/usr/lib")));
        Assert.That(image.Nodes["/other"].Inode, Is.EqualTo(image.Nodes["/etc/one"].Inode));
        Assert.That((image.Nodes[""].Mode, image.Nodes["/etc/one"].Mode), Is.EqualTo((0x4040U, 0x8100U)));
    }

    [Test]
    public void Owners_modes_and_times_are_kept()
    {
        ReadNode node = Read(Image(new TarFile().File("tool", "x", UnixFileMode.SetUser | UnixFileMode.OtherExecute).Bytes())).Nodes["/tool"];

        Assert.That((node.Mode, node.User, node.Group), Is.EqualTo((0x8000U | 0x801U, 5U, 6U)));
        Assert.That((node.Seconds, node.Nanoseconds), Is.EqualTo((1_000_000_000L, 500_000_000U)));
    }

    [Test]
    public void Parents_that_are_links_are_followed_in_the_image()
    {
        TarFile tar = new TarFile().Link("lib", "usr/lib").File("lib/one", "a").Link("up", "../../../etc").File("up/two", "b");

        ReadImage image = Read(Image(tar.Bytes()));

        Assert.That(image.Paths, Is.EqualTo(new[] { "/etc", "/etc/two", "/lib", "/up", "/usr", "/usr/lib", "/usr/lib/one" }));
    }

    [TestCase("../x", "leaves its directory with '..'")]
    [TestCase("a/../../x", "leaves its directory with '..'")]
    [TestCase("/etc/passwd", "is an absolute path")]
    [TestCase("bad\uFFFDname", "has a name that is not valid UTF-8")]
    public void A_path_that_leaves_the_image_or_is_invalid_is_refused(string path, string problem)
    {
        ProgramImageException error = Refused(Image(new TarFile().File("first").File(path).Bytes()));

        Assert.That((error.Entry, error.Problem), Is.EqualTo((path, problem)));
    }

    [Test]
    public void Bytes_that_are_no_text_are_refused()
    {
        byte[] tar = TarFile.Plain("name");
        tar[0] = 0xFF;

        Assert.That(Refused(Image(FixChecksum(tar, 0))).Problem, Does.Contain("not valid UTF-8"));
    }

    [TestCase("/etc/passwd", "is a hard link to a path that is an absolute path")]
    [TestCase("../../etc/passwd", "is a hard link to a path that leaves its directory with '..'")]
    [TestCase("none", "is a hard link to a file that is not there")]
    [TestCase("directory", "is a hard link to a directory")]
    public void A_hard_link_that_leads_out_or_nowhere_is_refused(string target, string problem)
    {
        ProgramImageException error = Refused(Image(new TarFile().Directory("directory").HardLink("link", target).Bytes()));

        Assert.That((error.Entry, error.Problem), Is.EqualTo(("link", problem)));
    }

    [TestCase(TarEntryType.BlockDevice, "is a device")]
    [TestCase(TarEntryType.CharacterDevice, "is a device")]
    [TestCase(TarEntryType.Fifo, "is a pipe")]
    public void Devices_and_pipes_are_refused(TarEntryType type, string problem)
    {
        ProgramImageException error = Refused(Image(new TarFile().Special("dev/special", type).Bytes()));

        Assert.That((error.Entry, error.Problem.StartsWith(problem, StringComparison.Ordinal)), Is.EqualTo(("dev/special", true)));
    }

    [Test]
    public void Devices_can_be_left_out()
    {
        byte[] tar = new TarFile().Special("dev/null", TarEntryType.CharacterDevice).File("file").Bytes();

        ProgramImageFile file = Build(Image(tar, Options with { LeaveOutSpecialFiles = true }));

        Assert.That(file.LeftOut, Is.EqualTo(new[] { "dev/null: a device" }));
        Assert.That(new ReadImage(file.Path).Paths, Is.EqualTo(new[] { "/file" }));
    }

    [Test]
    public void A_name_that_is_there_twice_is_refused()
    {
        Assert.That(Refused(Image(new TarFile().File("a").File("./a").Bytes())).Problem, Is.EqualTo("is in the archive twice"));
        Assert.That(Refused(Image(new TarFile().Directory("a/").Link("a", "b").Bytes())).Problem, Is.EqualTo("is in the archive twice"));
        Assert.That(Read(Image(new TarFile().Directory("a/").File("a/b").Directory("a").Bytes())).Paths, Is.EqualTo(new[] { "/a", "/a/b" }));
    }

    [Test]
    public void An_archive_that_ends_early_is_refused()
    {
        byte[] tar = new TarFile().File("one", new string('x', 700)).File("two", "y").Bytes();
        int end = tar.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        foreach (int size in new[] { 1, 511, 512, 600, 1100, 1536, 2000, end, (end + BlockSize - 1) / BlockSize * BlockSize })
        {
            ProgramImageException error = Refused(Image(tar[..size]));
            Assert.That(error.Problem, Does.Contain("truncated").Or.Contain("invalid"), $"{size} bytes");
        }
    }

    [Test]
    public void A_compressed_archive_that_ends_early_is_refused()
    {
        byte[] tar = new TarFile().File("one", RandomText(20_000)).Compressed();

        Assert.That(Refused(Image(tar[..^2000])).Entry, Is.EqualTo("one"));
        Assert.That(Refused(Image(tar[..20])).Entry, Is.Null);
    }

    [Test]
    public void A_file_that_is_no_archive_is_refused()
    {
        Assert.That(Refused(Image(Encoding.ASCII.GetBytes(new string('x', 2000)))).Problem, Does.Contain("archive"));
        Assert.That(Refused(Image([])).Problem, Does.Contain("truncated"));
        Assert.That(Refused(ProgramImage.FromTar(Path.Combine(Files, "none"), Options)).Problem, Does.Contain("no file"));
        Assert.That(Refused(ProgramImage.FromTar(Files, Options)).Problem, Does.Contain("a directory"));
    }

    [Test]
    public void A_bomb_ends_at_the_limit_of_the_compression_ratio()
    {
        byte[] bomb = TarFile.Compress(new TarFile().File("zeros", new string('\0', 64 << 20)).Bytes());

        ProgramImageException error = Refused(Image(bomb));

        Assert.That((error.Entry, error.Problem), Is.EqualTo(("zeros", "or what follows it is invalid: it expands to more than 200 times its size")));
        Assert.That(Build(Image(bomb, Options with { MaximumCompressionRatio = 2000 })).Size, Is.GreaterThan(64 << 20));
    }

    [Test]
    public void A_bomb_ends_at_the_limit_of_the_size()
    {
        byte[] bomb = new TarFile().File("one", RandomText(6000)).File("two", RandomText(6000)).Compressed();

        Assert.That(Refused(Image(bomb, Options with { MaximumSize = 11_999 })).Entry, Is.EqualTo("two"));
    }

    [Test]
    public void The_number_of_entries_is_limited()
    {
        var tar = new TarFile();
        for (int i = 0; i < 11; i++)
        {
            tar.File($"{i}");
        }

        Assert.That(Refused(Image(tar.Bytes(), Options with { MaximumEntries = 10 })).Entry, Is.EqualTo("10"));
    }

    [Test]
    public void Entries_that_are_left_out_are_counted()
    {
        TarFile tar = new TarFile().File("file");
        for (int i = 0; i < 10; i++)
        {
            tar.Special($"{i}", TarEntryType.Fifo);
        }

        ProgramImageOptions options = Options with { MaximumEntries = 10, LeaveOutSpecialFiles = true };
        Assert.That(Refused(Image(tar.Bytes(), options)).Entry, Is.EqualTo("9"));
    }

    [Test]
    public void A_size_that_is_not_there_costs_nothing()
    {
        byte[] tar = TarFile.Plain("large");
        Encoding.ASCII.GetBytes("77777777777\0").CopyTo(tar, 124); // almost 8 GiB

        Assert.That(Refused(Image(FixChecksum(tar, 0))).Problem, Does.Contain("exceeds the limit"));
    }

    [Test]
    public void Attributes_with_a_size_that_no_reader_has_memory_for_are_refused()
    {
        byte[] tar = TarFile.Plain("large");
        Encoding.ASCII.GetBytes("77777777777\0").CopyTo(tar, 124);
        tar[156] = (byte)'x';

        Assert.That(Refused(Image(FixChecksum(tar, 0))).Problem, Does.StartWith("the archive is invalid: "));
    }

    [Test]
    public void A_header_that_is_too_large_is_refused()
    {
        byte[] bomb = TarFile.Compress(LargeAttributes(64 << 20));

        Assert.That(Refused(Image(bomb)).Problem, Does.Contain("a header has more than 1048576 bytes"));
    }

    // An extended header that never ends.
    private static byte[] LargeAttributes(int size)
    {
        byte[] tar = new TarFile().File("x").Bytes();
        var result = new byte[BlockSize + size];
        tar.AsSpan(0, BlockSize).CopyTo(result);
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(11, '0')).CopyTo(result, 124);
        result[156] = (byte)'x';
        return FixChecksum(result, 0);
    }

    private static byte[] FixChecksum(byte[] tar, int header)
    {
        Span<byte> block = tar.AsSpan(header, BlockSize);
        block.Slice(148, 8).Fill((byte)' ');
        int sum = 0;
        foreach (byte value in block)
        {
            sum += value;
        }

        Encoding.ASCII.GetBytes(Convert.ToString(sum, 8).PadLeft(6, '0') + "\0 ").CopyTo(block[148..]);
        return tar;
    }

    private static string RandomText(int size)
    {
        var random = new Random(1);
        return string.Concat(Enumerable.Range(0, size).Select(_ => (char)random.Next(32, 127)));
    }

    private ProgramImage Image(byte[] archive, ProgramImageOptions? options = null)
    {
        string path = Path.Combine(Files, "archive");
        File.WriteAllBytes(path, archive);
        return ProgramImage.FromTar(path, options ?? Options);
    }
}
