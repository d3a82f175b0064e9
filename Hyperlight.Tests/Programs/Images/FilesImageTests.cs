using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs.Images;

/// <summary>Images of single files.</summary>
[TestFixture]
internal sealed class FilesImageTests : ImageTest
{
    [Test]
    public void Files_are_placed_at_their_paths()
    {
        ReadImage image = Read(ProgramImage.FromFiles(
            new Dictionary<string, ProgramFile>
            {
                ["/bin/tool"] = ProgramFile.FromBytes(new byte[] { 1, 2 }, isExecutable: true),
                ["/etc/text"] = ProgramFile.FromText("ä"),
                ["/lib"] = ProgramFile.LinkTo("usr/lib"),
                ["/copied/name"] = ProgramFile.FromPath(Write("one", "host")),
            },
            Options));

        Assert.That(image.Paths, Is.EqualTo(new[] { "/bin", "/bin/tool", "/copied", "/copied/name", "/etc", "/etc/text", "/lib" }));
        Assert.That(image.Nodes["/bin/tool"].Bytes, Is.EqualTo(new byte[] { 1, 2 }));
        Assert.That(image.Nodes["/bin/tool"].Mode, Is.EqualTo(0x8000 | Convert.ToInt32("755", 8)));
        Assert.That(image.Nodes["/bin"].Mode, Is.EqualTo(0x4000 | Convert.ToInt32("755", 8)));
        Assert.That(image.Nodes["/etc/text"].Mode, Is.EqualTo(0x8000 | Convert.ToInt32("644", 8)));
        Assert.That((image.Text("/etc/text"), image.Text("/lib"), image.Text("/copied/name")), Is.EqualTo(("ä", "usr/lib", "host")));
        Assert.That(image.Nodes["/etc/text"].Seconds, Is.Zero);
    }

    [Test]
    public void A_directory_of_the_host_is_placed_with_all_that_is_in_it()
    {
        Write("d/e/file", "x");

        ReadImage image = Read(ProgramImage.FromFiles(
            new Dictionary<string, ProgramFile> { ["/opt/d"] = ProgramFile.FromPath(Path.Combine(Files, "d")) }, Options));

        Assert.That(image.Paths, Is.EqualTo(new[] { "/opt", "/opt/d", "/opt/d/e", "/opt/d/e/file" }));
    }

    [Test]
    public void A_file_in_a_directory_that_is_a_link_is_placed_where_the_link_leads()
    {
        ReadImage image = Read(ProgramImage.FromFiles(
            new Dictionary<string, ProgramFile>
            {
                ["/a/lib/file"] = ProgramFile.FromText("x"),
                ["/a/lib"] = ProgramFile.LinkTo("../../../usr/./lib"),
            },
            Options));

        Assert.That(image.Paths, Is.EqualTo(new[] { "/a", "/a/lib", "/usr", "/usr/lib", "/usr/lib/file" }));
    }

    [Test]
    public void Links_that_lead_in_a_circle_are_refused()
    {
        ProgramImageException error = Refused(ProgramImage.FromFiles(
            new Dictionary<string, ProgramFile>
            {
                ["/a"] = ProgramFile.LinkTo("b"),
                ["/b"] = ProgramFile.LinkTo("/a"),
                ["/a/file"] = ProgramFile.FromText(""),
            },
            Options));

        Assert.That((error.Entry, error.Problem), Is.EqualTo(("a/file", "has a parent that leads over too many symbolic links")));
    }

    [Test]
    public void Files_can_be_added_to_an_image()
    {
        Write("a", "old");
        Write("b", "stays");

        ReadImage image = Read(ProgramImage.FromDirectory(Files, Options).WithFiles(OneFile("/a", "new")).WithFiles(OneFile("/c", "more")));

        Assert.That((image.Text("/a"), image.Text("/b"), image.Text("/c")), Is.EqualTo(("new", "stays", "more")));
    }

    [TestCase("relative")]
    [TestCase("/")]
    [TestCase("")]
    public void A_path_that_is_not_absolute_is_refused(string path) =>
        Assert.That(() => ProgramImage.FromFiles(OneFile(path, "")), Throws.ArgumentException);

    [TestCase("/a/../b")]
    [TestCase("/a/..")]
    [TestCase("/zero\0")]
    [TestCase("/half\uD800")]
    [TestCase("/bad\uFFFD")]
    public void An_invalid_path_is_refused_with_its_name(string path) =>
        Assert.That(Refused(ProgramImage.FromFiles(OneFile(path, ""), Options)).Entry, Is.EqualTo(path[1..]));

    [Test]
    public void The_length_of_a_name_is_limited()
    {
        string longest = new('a', 255);
        Assert.That(Read(ProgramImage.FromFiles(OneFile("/" + longest, ""), Options)).Paths, Is.EqualTo(new[] { "/" + longest }));
        Assert.That(Refused(ProgramImage.FromFiles(OneFile("/" + longest + "a", ""), Options)).Problem, Does.Contain("255"));
    }

    [Test]
    public void The_length_of_a_path_is_limited()
    {
        string longest = string.Join('/', Enumerable.Repeat("a", 2048));
        Assert.That(Read(ProgramImage.FromFiles(OneFile("/" + longest, ""), Options)).NodeCount, Is.EqualTo(2049));
        Assert.That(Refused(ProgramImage.FromFiles(OneFile("/" + longest + "/", ""), Options)).Problem, Does.Contain("4095"));
    }

    [Test]
    public void A_message_has_no_control_characters() =>
        Assert.That(Refused(ProgramImage.FromFiles(OneFile("/\u001B[2J/../x", ""), Options)).Message, Does.Contain(@"'\u001B[2J/../x'"));

    [Test]
    public void A_file_below_a_file_is_refused()
    {
        var files = new Dictionary<string, ProgramFile> { ["/a"] = ProgramFile.FromText(""), ["/a/b"] = ProgramFile.FromText("") };

        Assert.That(Refused(ProgramImage.FromFiles(files, Options)).Problem, Is.EqualTo("has a parent that is a file"));
    }

    [Test]
    public void The_number_of_entries_is_limited()
    {
        ProgramImage image = ProgramImage.FromFiles(OneFile("/a/b/c", ""), Options with { MaximumEntries = 2 });

        Assert.That(Refused(image).Problem, Is.EqualTo("it has more than 2 entries"));
        Assert.That(Read(ProgramImage.FromFiles(OneFile("/a/b/c", ""), Options with { MaximumEntries = 3 })).NodeCount, Is.EqualTo(4));
    }

    [Test]
    public void The_size_of_all_files_is_limited()
    {
        ProgramImage image = ProgramImage.FromFiles(OneFile("/a", new string('a', 8193)), Options with { MaximumSize = 8192 });

        Assert.That(Refused(image).Entry, Is.EqualTo("a"));
    }

    [Test]
    public void The_size_of_an_image_is_limited()
    {
        // Three pages: the header, the nodes with their names, and the file.
        Assert.That(Build(ProgramImage.FromFiles(OneFile("/a", "a"), Options with { MaximumSize = 12288 })).Size, Is.EqualTo(12288));
        Assert.That(
            Refused(ProgramImage.FromFiles(OneFile("/a", "a"), Options with { MaximumSize = 12287 })).Problem, Does.Contain("12288 bytes"));
    }

    [Test]
    public void An_executable_is_at_the_root_and_all_may_execute_it()
    {
        ReadImage image = Read(ProgramImage.FromExecutable(Write("d/tool", "x"), Options));

        Assert.That(image.Paths, Is.EqualTo(new[] { "/tool" }));
        Assert.That(image.Nodes["/tool"].Mode & 0x16D, Is.EqualTo(0x16D));
    }

    [Test]
    public void Something_that_is_not_an_executable_file_is_refused()
    {
        Assert.That(Refused(ProgramImage.FromExecutable(Files, Options)).Problem, Is.EqualTo("it is a directory"));
        Assert.That(Refused(ProgramImage.FromExecutable(Write("empty", ""), Options)).Problem, Does.StartWith("it is empty"));
        Assert.That(Refused(ProgramImage.FromExecutable(Path.Combine(Files, "none"), Options)).Problem, Does.StartWith("cannot be read"));
        Assert.That(() => ProgramImage.FromBytes([1], "a/b"), Throws.ArgumentException);
    }
}
