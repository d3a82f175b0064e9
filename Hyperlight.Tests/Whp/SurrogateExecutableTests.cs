using Hyperlight.Surrogates;
using Hyperlight.Tests.Integration;
using Hyperlight.Whp;

namespace Hyperlight.Tests.Whp;

/// <summary>The file that surrogate processes are started from, in directories that are empty, shared, wrong or not writable.</summary>
[TestFixture]
internal sealed class SurrogateExecutableTests
{
    private TestFiles _files = null!;

    private string FilePath => Path.Combine(_files.Directory, SurrogateExecutable.FileName);

    [SetUp]
    public void CreateDirectory() => _files = new TestFiles();

    [TearDown]
    public void DeleteDirectory() => _files.Dispose();

    [Test]
    public void The_resource_is_what_its_source_writes() =>
        Assert.That(SurrogateExecutable.Content.ToArray(), Is.EqualTo(SurrogateImage.Create()));

    [Test]
    public void The_file_is_written_once_and_used_again()
    {
        string path = Open();
        Assert.That(path, Is.EqualTo(FilePath));
        DateTime written = File.GetLastWriteTimeUtc(path);
        Assert.That(Open(), Is.EqualTo(path));
        Assert.That(File.GetLastWriteTimeUtc(path), Is.EqualTo(written));
        AssertOnlyTheFile();
    }

    [Test]
    public void A_directory_that_does_not_exist_is_created()
    {
        string directory = Path.Combine(_files.Directory, "a", "b");
        using var executable = SurrogateExecutable.Open(Kernel(), directory);
        Assert.That(File.ReadAllBytes(executable.Path), Is.EqualTo(SurrogateExecutable.Content.ToArray()));
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(-1)]
    public void A_part_of_the_file_is_replaced(int end)
    {
        ReadOnlySpan<byte> content = SurrogateExecutable.Content;
        File.WriteAllBytes(FilePath, content[..(end >= 0 ? end : content.Length + end)].ToArray());
        Open();
        AssertOnlyTheFile();
    }

    [Test]
    public void A_longer_file_is_replaced()
    {
        File.WriteAllBytes(FilePath, [.. SurrogateExecutable.Content, 0]);
        Open();
        AssertOnlyTheFile();
    }

    [Test]
    public void A_file_that_differs_in_any_byte_is_replaced([Range(0, 1023, 93)] int index)
    {
        byte[] foreign = SurrogateExecutable.Content.ToArray();
        foreign[index] ^= 1;
        File.WriteAllBytes(FilePath, foreign);
        Open();
        AssertOnlyTheFile();
    }

    [Test]
    public void A_link_is_replaced_and_its_target_is_neither_used_nor_changed()
    {
        string target = _files.New("target", SurrogateExecutable.Content.ToArray());
        File.CreateSymbolicLink(FilePath, target);
        Open();
        Assert.That(new FileInfo(FilePath).LinkTarget, Is.Null);
        File.Delete(target);
        AssertOnlyTheFile();
    }

    [Test]
    public void A_file_that_cannot_be_written_is_a_typed_error_and_leaves_nothing()
    {
        Directory.CreateDirectory(Path.Combine(FilePath, "not empty"));
        HypervisorException exception = Assert.Throws<HypervisorException>(() => Open())!;
        Assert.Multiple(() =>
        {
            Assert.That(exception.Driver, Is.EqualTo("whp"));
            Assert.That(exception.Operation, Does.Contain(SurrogateExecutable.FileName));
            Assert.That(exception.InnerException, Is.InstanceOf<IOException>().Or.InstanceOf<UnauthorizedAccessException>());
            Assert.That(Directory.GetFileSystemEntries(_files.Directory), Is.EqualTo(new[] { FilePath }));
        });
    }

    [Test]
    public void A_directory_below_a_file_is_a_typed_error()
    {
        string file = _files.New("file", 1);
        Assert.That(() => SurrogateExecutable.Open(Kernel(), Path.Combine(file, "below")), Throws.TypeOf<HypervisorException>());
    }

    [Test]
    public void A_file_that_can_never_be_opened_is_a_typed_error()
    {
        FakeWindowsKernel kernel = new([]) { CanOpenPrograms = false };
        HypervisorException exception = Assert.Throws<HypervisorException>(() => SurrogateExecutable.Open(kernel, _files.Directory))!;
        Assert.That(exception.ErrorCode, Is.EqualTo(FakeWindowsKernel.AccessDenied));
        AssertOnlyTheFile();
    }

    [Test]
    public void The_file_is_open_until_it_is_disposed()
    {
        FakeWindowsKernel kernel = Kernel();
        using (SurrogateExecutable.Open(kernel, _files.Directory))
        {
            Assert.That(kernel.Program!.IsClosed, Is.False);
        }

        Assert.That(kernel.Program.IsClosed, Is.True);
    }

    [Test]
    public void Many_threads_share_one_file()
    {
        Parallel.For(0, 16, _ => Open());
        AssertOnlyTheFile();
    }

    private string Open()
    {
        using var executable = SurrogateExecutable.Open(Kernel(), _files.Directory);
        return executable.Path;
    }

    private void AssertOnlyTheFile()
    {
        Assert.That(Directory.GetFileSystemEntries(_files.Directory), Is.EqualTo(new[] { FilePath }));
        Assert.That(File.ReadAllBytes(FilePath), Is.EqualTo(SurrogateExecutable.Content.ToArray()));
    }

    private static FakeWindowsKernel Kernel() => new([]);
}
