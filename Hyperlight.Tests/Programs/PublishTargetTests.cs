using System.Diagnostics;
using Hyperlight.Tests.Documentation;

namespace Hyperlight.Tests.Programs;

/// <summary>What the build says when a C# project cannot be published as a program.</summary>
[TestFixture]
internal sealed class PublishTargetTests
{
    private string _directory = "";

    [SetUp]
    public void CreateDirectory()
    {
        if (!OperatingSystem.IsLinux())
        {
            Assert.Ignore("On other systems the problem is the system.");
        }

        _directory = Directory.CreateTempSubdirectory("hyperlight-publish").FullName;
        File.WriteAllText(Path.Combine(_directory, "Part.csproj"), "<Project />");
    }

    [TearDown]
    public void DeleteDirectory()
    {
        if (_directory.Length > 0)
        {
            Directory.Delete(_directory, recursive: true);
        }
    }

    [Test]
    public void A_machine_without_a_linker_is_an_error() => Assert.That(
        Build("Part.csproj"),
        Is.EqualTo((1, "error HLP1002: 'Part' cannot be published as a Linux program: there is no linker in the PATH (clang or gcc). On Debian and Ubuntu: apt install gcc libc6-dev.")));

    [Test]
    public void An_optional_program_is_left_out() => Assert.That(
        Build("Part.csproj\" Optional=\"true"),
        Is.EqualTo((0, "'Part' is not published: there is no linker in the PATH (clang or gcc). On Debian and Ubuntu: apt install gcc libc6-dev.")));

    [Test]
    public void A_project_that_does_not_exist_is_an_error() => Assert.That(
        Build("None.csproj"), Is.EqualTo((1, $"error HLP1001: The project of a HyperlightProgram does not exist: {_directory}/None.csproj")));

    /// <summary>The exit code, and the message without the place of the target.</summary>
    private (int ExitCode, string Message) Build(string include)
    {
        string targets = Path.Combine(Repository.Root, "Hyperlight.Programs", "build", "Hyperlight.Programs.targets");
        string project = Path.Combine(_directory, "application.proj");
        File.WriteAllText(project, $"<Project><ItemGroup><HyperlightProgram Include=\"{include}\" /></ItemGroup><Import Project=\"{targets}\" /></Project>");
        var start = new ProcessStartInfo(DotNet(), ["msbuild", project, "-t:PublishHyperlightPrograms", "-nologo", "-v:m", "-nodeReuse:false"]) { RedirectStandardOutput = true };
        start.Environment["PATH"] = _directory;
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        int message = output.IndexOf("error HLP", StringComparison.Ordinal);
        int end = output.IndexOf(" [", StringComparison.Ordinal);
        return (process.ExitCode, output[Math.Max(message, 0)..(end < 0 ? output.Length : end)]);
    }

    private static string DotNet()
    {
        string? path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Select(static entry => Path.Combine(entry, "dotnet")).FirstOrDefault(File.Exists);
        if (path is null)
        {
            Assert.Ignore("There is no 'dotnet' in the PATH.");
        }

        return path!;
    }
}
