using System.Buffers.Binary;
using System.Text;
using Hyperlight.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>What the kernel of a program says about files is not trusted.</summary>
[TestFixture]
internal sealed class RunFilesTests
{
    private const int HeaderSize = 16;
    private const int Stop = 1;

    [Test]
    public void Files_are_handed_in_by_their_index()
    {
        RunFiles files = Create(new ProgramInput { Files = Files(("/b", "text"), ("/a/ä", "")) });

        Assert.That(Describe(files.InputFile(0)), Is.EqualTo(("/a/ä", 0L)));
        Assert.That(Describe(files.InputFile(1)), Is.EqualTo(("/b", 4L)));
        Assert.That(files.InputFile(2), Is.Empty);
        Assert.That(files.InputFile(-1), Is.Empty);
    }

    [Test]
    public void Directories_that_are_wanted_and_those_of_the_host_follow_the_files()
    {
        const int DirectoryMode = 0x41ED;
        var files = new RunFiles(
            new ProgramInput { Files = Files(("/b", "text")), OutputDirectories = ["/out", "/b/c"] }, new ProgramLimits(),
            new Dictionary<string, ProgramDirectory> { ["/data"] = "/srv", ["/work"] = new("/srv") { IsWritable = true } });

        Assert.That(Enumerable.Range(0, 4).Select(index => Encoding.UTF8.GetString(files.InputFile(index).AsSpan(HeaderSize))), Is.EqualTo(new[] { "/b", "/out", "/b/c", "/data" }));
        Assert.That(Enumerable.Range(1, 3).Select(index => BinaryPrimitives.ReadInt32LittleEndian(files.InputFile(index))), Is.All.EqualTo(DirectoryMode));
        Assert.That(Enumerable.Range(0, 5).Select(index => files.InputFile(index)[4]), Is.EqualTo(new byte[] { 0, 0, 0, 1, 2 }), "whether it is of the host, and can be changed");
        Assert.That((files.InputFile(5).Length, files.InputBytes(1, 0, 1).Length), Is.EqualTo((0, 0)));
    }

    [TestCase(1, 0, 100, "text")]
    [TestCase(1, 1, 2, "ex")]
    [TestCase(1, 4, 1, "")]
    [TestCase(1, -1, 1, "")]
    [TestCase(1, 0, -1, "")]
    [TestCase(1, long.MaxValue, 1, "")]
    [TestCase(2, 0, 1, "")]
    [TestCase(-1, 0, 1, "")]
    public void Bytes_are_those_that_there_are(int index, long offset, int size, string expected)
    {
        RunFiles files = Create(new ProgramInput { Files = Files(("/b", "text"), ("/a", "")) });

        Assert.That(Encoding.UTF8.GetString(files.InputBytes(index, offset, size).Span), Is.EqualTo(expected));
    }

    [TestCase("relative")]
    [TestCase("/")]
    [TestCase("")]
    [TestCase("/a/../b")]
    [TestCase("/a/./b")]
    [TestCase("/a//b")]
    [TestCase("/a/")]
    [TestCase("/a\0")]
    public void Paths_of_the_application_are_checked(string path)
    {
        Assert.That(() => RunFiles.Check(new ProgramInput { Files = Files((path, "")) }), Throws.ArgumentException);
        Assert.That(() => RunFiles.Check(new ProgramInput { OutputDirectories = [path] }), Throws.ArgumentException);
    }

    [Test]
    public void Files_are_collected_from_their_parts()
    {
        RunFiles files = Collecting();

        Assert.That(Output(files, "/out/a/b", 4), Is.Zero);
        Assert.That((files.OutputBytes("te"u8), files.OutputBytes("xt"u8)), Is.EqualTo((0, 0)));
        Assert.That(Output(files, "/out/empty", 0), Is.Zero);
        files.Collect(null);

        Assert.That(files.Output.ToDictionary(static file => file.Key, static file => Encoding.UTF8.GetString(file.Value.Span)), Is.EqualTo(
            new Dictionary<string, string> { ["/out/a/b"] = "text", ["/out/empty"] = "" }));
        Assert.That((files.Problem, files.IsLimitReached), Is.EqualTo(((string?)null, false)));
    }

    [TestCase("/out/../etc/passwd")]
    [TestCase("/outside")]
    [TestCase("/out")]
    [TestCase("/out/")]
    [TestCase("/out//a")]
    [TestCase("/out/./a")]
    [TestCase("out/a")]
    [TestCase("")]
    [TestCase("/out/a\0")]
    public void A_path_that_is_not_in_the_directory_is_a_problem(string path)
    {
        RunFiles files = Collecting();

        Assert.That(Output(files, path, 1), Is.EqualTo(Stop));
        Assert.That(files.Problem, Is.Not.Null);
        Assert.That(files.Output, Is.Empty);
    }

    [Test]
    public void Calls_in_another_order_are_a_problem()
    {
        AssertProblem(static files => files.OutputBytes("x"u8));
        AssertProblem(static files => Output(files, "/out/a", -1));
        AssertProblem(static files => Output(files, "/out/a", 1) + Output(files, "/out/b", 1));
        AssertProblem(static files => Output(files, "/out/a", 1) + files.OutputBytes("xy"u8));
        AssertProblem(static files => Output(files, "/out/a", 1) + files.OutputBytes([]));
        AssertProblem(static files => Output(files, "/out/a", 0) + Output(files, "/out/a", 0));

        RunFiles early = Create(ProgramInput.Empty);
        Assert.That((Output(early, "/out/a", 0), early.Problem is null), Is.EqualTo((Stop, false)));

        RunFiles incomplete = Collecting();
        Output(incomplete, "/out/a", 2);
        incomplete.OutputBytes("x"u8);
        incomplete.Collect(null);
        Assert.That((incomplete.Problem is null, incomplete.Output.Count), Is.EqualTo((false, 0)));

        static void AssertProblem(Func<RunFiles, int> call)
        {
            RunFiles files = Collecting();
            Assert.That((call(files), files.Problem is null), Is.EqualTo((Stop, false)));
        }
    }

    [Test]
    public void A_limit_ends_the_collection_and_nothing_is_allocated_for_what_exceeds_it()
    {
        RunFiles files = Collecting();

        Assert.That(Output(files, "/out/a", 100) + files.OutputBytes(new byte[100]), Is.Zero);
        Assert.That(Output(files, "/out/b", 1), Is.EqualTo(Stop));
        Assert.That(Output(files, "/out/c", long.MaxValue), Is.EqualTo(Stop));
        Assert.That((files.IsLimitReached, files.Problem, files.Output.Count), Is.EqualTo((true, (string?)null, 1)));
    }

    [Test]
    public void A_file_whose_path_is_not_UTF_8_is_listed_and_the_next_one_is_collected()
    {
        RunFiles files = Collecting();

        Assert.That(files.OutputFile([.. "/out/"u8, 0xFF, 0x1B], 1) + files.OutputBytes("x"u8), Is.Zero);
        Assert.That(files.OutputFile([.. "/out/"u8, 0xFE, 0x1B], 0), Is.Zero, "another file, whose path looks the same");
        Assert.That(Output(files, "/out/\uFFFD", 0), Is.Zero, "this is UTF-8");

        Assert.That(files.LeftOut, Is.EqualTo(new[] { "/out/\uFFFD\\u001B", "/out/\uFFFD\\u001B" }));
        Assert.That(files.Output.Keys, Is.EqualTo(new[] { "/out/\uFFFD" }));
        Assert.That(files.Problem, Is.Null);
        Assert.That((Output(files, "/out/a", 0), files.IsLimitReached), Is.EqualTo((Stop, true)), "files that are left out are counted");
    }

    [Test]
    public void A_directory_in_another_one_is_collected_once() => Assert.That(
        Create(new ProgramInput { OutputDirectories = ["/out/a", "/out", "/out", "/output"] }).Directories, Is.EqualTo(new[] { "/out", "/output" }));

    [Test]
    public void Paths_that_are_too_long_are_a_limit()
    {
        RunFiles files = Collecting();

        files.AddTooLong(0);
        Assert.That(files.IsLimitReached, Is.False);
        files.AddTooLong(1);
        Assert.That(files.IsLimitReached, Is.True);
    }

    [Test]
    public void The_number_of_files_is_limited()
    {
        RunFiles files = Collecting();
        for (int i = 0; i < 3; i++)
        {
            Assert.That(Output(files, $"/out/{i}", 0), Is.Zero);
        }

        Assert.That((Output(files, "/out/3", 0), files.IsLimitReached), Is.EqualTo((Stop, true)));
    }

    private static RunFiles Create(ProgramInput input) => new(input, new ProgramLimits { OutputFileBytes = 100, OutputFiles = 3 });

    private static RunFiles Collecting()
    {
        RunFiles files = Create(new ProgramInput { OutputDirectories = ["/out"] });
        files.Collect("/out");
        return files;
    }

    private static int Output(RunFiles files, string path, long size) => files.OutputFile(Encoding.UTF8.GetBytes(path), size);

    private static Dictionary<string, ReadOnlyMemory<byte>> Files(params (string Path, string Text)[] files) =>
        files.ToDictionary(static file => file.Path, static file => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(file.Text));

    private static (string Path, long Size) Describe(byte[] file)
    {
        Assert.That(BinaryPrimitives.ReadInt32LittleEndian(file), Is.EqualTo(0x81A4));
        return (Encoding.UTF8.GetString(file.AsSpan(HeaderSize)), BinaryPrimitives.ReadInt64LittleEndian(file.AsSpan(8)));
    }
}
