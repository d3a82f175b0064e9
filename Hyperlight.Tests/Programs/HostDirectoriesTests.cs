using System.Buffers.Binary;
using System.Text;
using Hyperlight.Programs;
using Hyperlight.Programs.Directories;
using Hyperlight.Tests.Host.Files;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Programs;

/// <summary>What the kernel of a program asks for in directories of the host is not trusted.</summary>
[TestFixture]
[Platform("Linux")]
internal sealed class HostDirectoriesTests
{
    private const int ErrorSize = 4;
    private const int NotFound = 2;
    private const int InputOutputError = 5;
    private const int InvalidArgument = 22;

    private TestFiles _files = null!;
    private HostDirectories _directories = null!;

    [SetUp]
    public void Create()
    {
        _files = new TestFiles();
        Directory.CreateDirectory(PathOf("shared/sub"));
        File.WriteAllText(PathOf("secret"), "secret");
        File.WriteAllText(PathOf("shared/a"), "text");
        File.WriteAllBytes(PathOf("shared/sub/b"), TestFiles.Content(40_000));
        File.CreateSymbolicLink(PathOf("shared/link"), PathOf("secret"));
        Directory.CreateSymbolicLink(PathOf("shared/up"), "..");
        _directories = new HostDirectories(new DirectoryMounts(new Dictionary<string, ProgramDirectory> { ["/data"] = PathOf("shared") }));
    }

    [TearDown]
    public void Delete()
    {
        _directories.Dispose();
        _files.Dispose();
    }

    [Test]
    public void Files_and_directories_are_listed_and_links_are_not()
    {
        Assert.That(Names("/data"), Is.EqualTo(new[] { "a", "sub" }));
        Assert.That(Names("/data/sub"), Is.EqualTo(new[] { "b" }));
    }

    [Test]
    public void A_directory_with_many_names_is_listed_in_parts()
    {
        string[] names = [.. Enumerable.Range(0, 1500).Select(static i => $"{i:D4}{new string('x', 40)}")];
        Array.ForEach(names, name => File.WriteAllText(PathOf($"shared/sub/{name}"), ""));

        Assert.That(Names("/data/sub"), Is.EqualTo(names.Append("b")));
    }

    [Test]
    public void Files_are_read_in_parts()
    {
        Assert.That(Content("/data/a"), Is.EqualTo("text"u8.ToArray()));
        Assert.That(Content("/data/sub/b"), Is.EqualTo(TestFiles.Content(40_000)));
        Assert.That(Content("/data/a"), Is.EqualTo("text"u8.ToArray()), "after another one");
    }

    [Test]
    public void What_the_application_puts_at_a_name_is_what_is_read()
    {
        string content = new('1', 40_000);
        File.WriteAllText(PathOf("shared/a"), content);
        Assert.That(ErrorOf(Answer(HostDirectories.Step.Read, "/data/a")), Is.Zero);
        File.Move(PathOf("shared/a"), PathOf("shared/old"));
        Assert.That(ErrorOf(Answer(HostDirectories.Step.Read, "/data/a", 1)), Is.EqualTo(NotFound));
        File.WriteAllText(PathOf("shared/a"), "22");
        Assert.That(Answer(HostDirectories.Step.Read, "/data/a", 1)[ErrorSize..], Is.EqualTo("2"u8.ToArray()));
    }

    /// <summary>A pipe that is opened for reading lets its writer go on.</summary>
    [Test]
    public void What_is_no_file_is_not_opened()
    {
        SpecialFiles.Pipe(PathOf("shared/pipe"));
        using var isOpening = new ManualResetEventSlim();
        var writer = new Thread(() =>
        {
            isOpening.Set();
            using FileStream pipe = File.OpenWrite(PathOf("shared/pipe"));
        });
        writer.Start();
        isOpening.Wait();
        for (int i = 0; i < 100; i++)
        {
            Assert.That(ErrorOf(Answer(HostDirectories.Step.Read, "/data/pipe")), Is.EqualTo(InputOutputError));
            Thread.Sleep(1);
        }

        Assert.That(writer.IsAlive, Is.True, "it still waits for a reader");
        File.OpenRead(PathOf("shared/pipe")).Dispose();
        writer.Join();
    }

    [TestCase("/data/../secret", NotFound)]
    [TestCase("/data/sub/../../secret", NotFound)]
    [TestCase("/data/.", NotFound)]
    [TestCase("/data/./a", NotFound)]
    [TestCase("/data//a", NotFound)]
    [TestCase("/data/", NotFound)]
    [TestCase("/data", NotFound)]
    [TestCase("/database", NotFound)]
    [TestCase("/", NotFound)]
    [TestCase("", NotFound)]
    [TestCase("a", NotFound)]
    [TestCase("/etc/passwd", NotFound)]
    [TestCase("/data/a\0", NotFound)]
    [TestCase("/data/none", NotFound)]
    [TestCase("/data/none/a", NotFound)]
    [TestCase("/data/link", InputOutputError)]
    [TestCase("/data/up/secret", InputOutputError)]
    [TestCase("/data/sub", InputOutputError)]
    [TestCase("/data/a/b", InputOutputError)]
    public void Nothing_but_files_in_the_directory_is_read(string path, int error) =>
        Assert.That(ErrorOf(Answer(HostDirectories.Step.Read, path)), Is.EqualTo(error));

    [TestCase("/data/..")]
    [TestCase("/data/up")]
    [TestCase("/data/a")]
    [TestCase("/data/sub/..")]
    [TestCase("/")]
    [TestCase("/etc")]
    [TestCase("")]
    public void Nothing_but_directories_in_the_directory_is_listed(string path)
    {
        byte[] answer = Answer(HostDirectories.Step.List, path);

        Assert.That(ErrorOf(answer), Is.Not.Zero);
        Assert.That(answer, Has.Length.EqualTo(ErrorSize));
    }

    [Test]
    public void A_question_that_is_none_has_an_error()
    {
        Assert.That(ErrorOf(Answer(HostDirectories.Step.Read, "/data/a", -1)), Is.EqualTo(InvalidArgument));
        Assert.That(ErrorOf(Answer((HostDirectories.Step)3, "/data/a")), Is.EqualTo(InvalidArgument));
        Assert.That(ErrorOf(_directories.Answer(1, [(byte)'/', 0xFF], 0).ToArray()), Is.EqualTo(InvalidArgument));
        Assert.That(Answer(HostDirectories.Step.Read, "/data/a", long.MaxValue), Has.Length.EqualTo(ErrorSize), "after the end");
        Assert.That(Answer(HostDirectories.Step.List, "/data", long.MaxValue), Has.Length.EqualTo(ErrorSize), "after the last");
    }

    [Test]
    public void Random_paths_lead_nowhere_else()
    {
        const int Count = 5000;
        string[] names = ["data", "data", "data", "sub", "a", "b", "link", "up", "secret", "..", ".", "", "x\0y", "\ud800", new('n', 300), "etc", "passwd"];
        int seed = Environment.TickCount;
        TestContext.Out.WriteLine($"seed {seed}");
        var random = new Random(seed);
        byte[][] contents = ["text"u8.ToArray(), TestFiles.Content(40_000)[..0x4000]];
        for (int i = 0; i < Count; i++)
        {
            string path = string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => "/" + names[random.Next(names.Length)]))[random.Next(20) == 0 ? 1.. : ..];
            byte[] file = Answer(HostDirectories.Step.Read, path);
            byte[] list = Answer(HostDirectories.Step.List, path);

            Assert.That(ErrorOf(file) != 0 ? [] : file[ErrorSize..], Is.AnyOf([Array.Empty<byte>(), .. contents]), path);
            Assert.That(Encoding.UTF8.GetString(list), Does.Not.Contain("secret").And.Not.Contain("passwd").And.Not.Contain("link"), path);
        }
    }

    /// <summary>A directory and a link to another one take turns under one name, while a file is read.</summary>
    [Test]
    public void What_is_exchanged_meanwhile_leads_nowhere_else()
    {
        const int Count = 3000;
        Directory.CreateDirectory(PathOf("outside"));
        File.WriteAllText(PathOf("outside/file"), "secret");
        Directory.CreateDirectory(PathOf("shared/inside"));
        File.WriteAllText(PathOf("shared/inside/file"), "text");
        using var end = new CancellationTokenSource();
        Task exchange = Task.Run(() =>
        {
            while (!end.IsCancellationRequested)
            {
                Directory.Move(PathOf("shared/inside"), PathOf("kept"));
                Directory.CreateSymbolicLink(PathOf("shared/inside"), PathOf("outside"));
                Directory.Delete(PathOf("shared/inside"));
                Directory.Move(PathOf("kept"), PathOf("shared/inside"));
            }
        });
        int found = 0;
        try
        {
            for (int i = 0; i < Count; i++)
            {
                byte[] answer = Answer(HostDirectories.Step.Read, "/data/inside/file");
                found += ErrorOf(answer) == 0 ? 1 : 0;
                Assert.That(Encoding.UTF8.GetString(answer.AsSpan(ErrorSize)), Is.AnyOf("", "text"));
            }
        }
        finally
        {
            end.Cancel();
            exchange.Wait();
        }

        TestContext.Out.WriteLine($"{found} of {Count} found the file");
    }

    [Test]
    public void A_directory_that_does_not_exist_is_an_error() => Assert.That(
        () => new DirectoryMounts(new Dictionary<string, ProgramDirectory> { ["/a"] = PathOf("shared"), ["/b"] = PathOf("none") }),
        Throws.TypeOf<DirectoryNotFoundException>());

    [TestCase("relative")]
    [TestCase("/")]
    [TestCase("/a/../b")]
    [TestCase("/data/in")]
    public void Paths_of_the_application_are_checked(string path) => Assert.That(
        () => HostDirectories.Check(new Dictionary<string, ProgramDirectory> { ["/data"] = "/", [path] = "/" }), Throws.ArgumentException);

    private string PathOf(string name) => Path.Combine(_files.Directory, name);

    private byte[] Answer(HostDirectories.Step step, string path, long offset = 0) =>
        _directories.Answer((int)step, Encoding.UTF8.GetBytes(path), offset).ToArray();

    private static int ErrorOf(byte[] answer) => BinaryPrimitives.ReadInt32LittleEndian(answer);

    private List<string> Names(string path)
    {
        var names = new List<string>();
        while (Answer(HostDirectories.Step.List, path, names.Count) is { Length: > ErrorSize } answer)
        {
            Assert.That(ErrorOf(answer), Is.Zero);
            for (ReadOnlySpan<byte> entries = answer.AsSpan(ErrorSize); !entries.IsEmpty;)
            {
                int length = BinaryPrimitives.ReadInt32LittleEndian(entries[4..]);
                names.Add(Encoding.UTF8.GetString(entries.Slice(32, length)));
                entries = entries[(32 + length)..];
            }
        }

        return names;
    }

    private byte[] Content(string path)
    {
        var content = new List<byte>();
        while (Answer(HostDirectories.Step.Read, path, content.Count) is { Length: > ErrorSize } answer)
        {
            content.AddRange(answer[ErrorSize..]);
        }

        return [.. content];
    }
}
