using Hyperlight.Samples.RunProgram;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>How the samples find an executable of the machine.</summary>
[TestFixture]
internal sealed class ExecutableSearchTests
{
    private static readonly string[] Missing = ["tool", "", "directory"];

    private string _first = null!;
    private string _second = null!;

    private string SearchPath => $"{_first}:/does/not/exist:{_second}";

    [SetUp]
    public void CreateDirectories()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Ignore("The names of Windows' executables have extensions, and there are no modes. The samples run programs of Linux machines.");
        }

        _first = Directory.CreateTempSubdirectory().FullName;
        _second = Directory.CreateTempSubdirectory().FullName;
    }

    [TearDown]
    public void RemoveDirectories()
    {
        foreach (string directory in new[] { _first, _second }.Where(static directory => directory is not null))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Test]
    public void A_name_is_looked_up_in_the_directories_in_their_order()
    {
        string later = Write(_second, "tool", isExecutable: true);
        Assert.That(ExecutableSearch.Find("tool", SearchPath), Is.EqualTo(later));

        string earlier = Write(_first, "tool", isExecutable: true);
        Assert.That(ExecutableSearch.Find("tool", SearchPath), Is.EqualTo(earlier));
    }

    [Test]
    public void A_file_that_cannot_be_executed_is_passed_over()
    {
        Write(_first, "tool", isExecutable: false);
        Assert.That(ExecutableSearch.Find("tool", SearchPath), Is.Null);

        string later = Write(_second, "tool", isExecutable: true);
        Assert.That(ExecutableSearch.Find("tool", SearchPath), Is.EqualTo(later));
    }

    [Test]
    public void A_path_is_not_looked_up()
    {
        string tool = Write(_first, "tool", isExecutable: false);
        string relative = Path.GetRelativePath(Environment.CurrentDirectory, tool);

        Assert.That(ExecutableSearch.Find(tool, null), Is.EqualTo(tool));
        Assert.That(ExecutableSearch.Find(relative, SearchPath), Is.EqualTo(tool));
        Assert.That(ExecutableSearch.Find("./tool", SearchPath), Is.Null);
    }

    [Test]
    public void What_is_not_there_is_not_found()
    {
        Directory.CreateDirectory(Path.Combine(_first, "directory"));

        Assert.That(
            Missing.Select(name => ExecutableSearch.Find(name, SearchPath)).Append(ExecutableSearch.Find("tool", null)),
            Is.All.Null);
    }

    private static string Write(string directory, string name, bool isExecutable)
    {
        string path = Path.Combine(directory, name);
        File.WriteAllText(path, "");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, UnixFileMode.UserRead | (isExecutable ? UnixFileMode.UserExecute : 0));
        }

        return path;
    }
}
