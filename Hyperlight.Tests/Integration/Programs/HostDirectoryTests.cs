using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>A program reads directories of the host.</summary>
[Platform("Linux")]
internal sealed class HostDirectoryTests(TestTarget target) : ProgramTest(target)
{
    private TestFiles _files = null!;

    [OneTimeSetUp]
    public void CreateFiles()
    {
        _files = new TestFiles();
        Directory.CreateDirectory(PathOfFile("sub"));
        File.WriteAllText(PathOfFile("a"), "text\n");
        File.WriteAllText(PathOfFile("sub/large"), string.Concat(Enumerable.Range(0, 5000).Select(static number => $"{number} ")));
        File.CreateSymbolicLink(PathOfFile("link"), "/etc/passwd");
    }

    [OneTimeTearDown]
    public void DeleteFiles() => _files.Dispose();

    [Test]
    public async Task A_program_reads_a_directory_and_cannot_change_it()
    {
        await using ProgramRunner runner = await CreateAsync();

        ProgramResult result = await Run(runner, "", "host-directory", "/data", "/data/a", "/data/sub", "/data/link");

        Assert.That(result.StandardOutput, Is.EqualTo(
            """
            names 2
              a
              sub
            /data/a mode 33060 links 1 size 5
            text
            /data/sub mode 16749 links 0 size 0
            names 1
              large
            /data/link -2
            write -13
            truncate -13
            create -13
            directory -13
            remove -13
            rename -18
            mode -1
            remove directory -13

            """));
        Assert.That(File.ReadAllText(PathOfFile("a")), Is.EqualTo("text\n"));
    }

    [Test]
    public async Task A_file_can_be_large_and_is_read_again_in_the_next_run()
    {
        await using ProgramRunner runner = await CreateAsync();
        string large = File.ReadAllText(PathOfFile("sub/large"));

        ProgramResult first = await Run(runner, "", "host-directory", "/none", "/data/sub/large");
        File.AppendAllText(PathOfFile("sub/large"), "more");
        ProgramResult second = await Run(runner, "", "host-directory", "/none", "/data/sub/large");

        Assert.That(first.StandardOutput, Does.Contain($" size {large.Length}\n{large}"));
        Assert.That(second.StandardOutput, Does.Contain($" size {large.Length + 4}\n{large}more"));
    }

    [Test]
    public async Task The_content_of_a_file_counts_against_the_memory_limit()
    {
        using var files = new TestFiles();
        using (FileStream large = File.Create(Path.Combine(files.Directory, "large")))
        {
            large.SetLength(0x30_0000);
        }

        File.WriteAllText(Path.Combine(files.Directory, "small"), "text\n");
        await using ProgramRunner runner = await CreateAsync(files, new ProgramLimits { Memory = 0x20_0000 });

        ProgramResult result = await Run(runner, "", "host-directory", "/none", "/data/large", "/data/small");

        Assert.That(result.StandardOutput, Does.Contain($"/data/large mode 33060 links 1 size {0x30_0000}\nopen -12\n").And.Contain(" size 5\ntext\n"));
    }

    [Test]
    public async Task A_program_without_directories_has_none() =>
        Assert.That((await Run(Create(Fixed), "", "host-directory", "/none", "/data/a")).StandardOutput, Does.Contain("/data/a -2\n"));

    private string PathOfFile(string name) => Path.Combine(_files.Directory, name);

    private Task<ProgramRunner> CreateAsync() => CreateAsync(_files, new ProgramLimits());

    private Task<ProgramRunner> CreateAsync(TestFiles files, ProgramLimits limits) => ProgramRunner.CreateAsync(new ProgramTemplate
    {
        Image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions),
        Directories = new Dictionary<string, ProgramDirectory> { ["/data"] = files.Directory },
        Limits = WithTime(limits),
        CreateBuilder = () => new SandboxBuilder().WithHypervisor(Target.Hypervisor),
    });
}
