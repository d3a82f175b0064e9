using System.Diagnostics;
using System.Text.RegularExpressions;
using Hyperlight.Programs;
using Hyperlight.Tests.Documentation;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>The tests that Python has of itself, as the distribution installs them (libpython3-testsuite).</summary>
internal static partial class PythonTestSuite
{
    public const string Python = "/usr/bin/python3";

    /// <summary>The version that the list in the documentation is of.</summary>
    private const string Version = "python3.11";

    private const string Library = $"/usr/lib/{Version}";

    /// <summary>Who the program is in a micro VM.</summary>
    private const string User = "1000";

    private const string UserSwitch = "/usr/bin/setpriv";

    private static readonly MarkdownPage Page = new("docs/python.md");

    /// <summary>What tests use if the machine has it.</summary>
    private static readonly string[] Others =
    [
        $"/etc/{Version}", $"/usr/include/{Version}", $"/usr/include/x86_64-linux-gnu/{Version}", "/etc/ld.so.cache", "/etc/mime.types", "/etc/localtime", "/usr/share/zoneinfo", "/usr/lib/locale", "/bin/sh", "/bin/cat", "/bin/echo",
        "/bin/ls", "/bin/sleep", "/bin/true", "/bin/false", "/bin/uname", "/bin/pwd", "/usr/bin/env", "/usr/bin/id", "/usr/bin/sort", "/usr/bin/tr", "/usr/bin/xz",
        "/bin/gzip", "/bin/bzip2",
    ];

    /// <summary>Runs the module that its first argument names: the documentation's scripts. Starts at a checkpoint where there is one.</summary>
    public static string Script { get; } = Fragment("docs/programs.md") + "\n" + Fragment("docs/python.md");

    /// <summary>What the interpreter finds in its environment.</summary>
    public static Dictionary<string, string> Environment { get; } = new() { ["PATH"] = "/usr/bin:/bin", ["HOME"] = "/tmp", ["LANG"] = "C.UTF-8" };

    /// <summary>The modules that have the same results, by the documentation.</summary>
    public static string[] Modules { get; } = [.. ModuleName().Matches(Section("Modules with the same results")).Select(static m => m.Groups[1].Value)];

    /// <summary>Skips the test where the suite is not installed, or is another one.</summary>
    public static void Require()
    {
        NativeProgram.Require();
        if (!File.Exists($"{Library}/test/test_os.py"))
        {
            Assert.Ignore($"Python's own tests are not installed on this machine: there is no {Library}/test/test_os.py (on Debian 12: libpython3-testsuite).");
        }

        if (new FileInfo(Python).ResolveLinkTarget(returnFinalTarget: true)?.Name != Version)
        {
            Assert.Ignore($"{Python} is not {Version}, which the list of modules is of.");
        }

        if (System.Environment.IsPrivilegedProcess && !File.Exists(UserSwitch))
        {
            Assert.Ignore($"The native run of the tests must not be root's, and there is no {UserSwitch}.");
        }
    }

    /// <summary>The interpreter with its modules and tests.</summary>
    public static ProgramImage Image(ProgramImageOptions options)
    {
        string[] files = [.. Others.Where(Path.Exists)];
        string[] modules = Directory.GetFiles($"{Library}/lib-dynload", "*.so");
        return InstalledProgram.Image($"/usr/bin/{Version}", options, [Library, .. files, .. InstalledProgram.Libraries([.. modules, .. files.Where(File.Exists)])])
            .WithFiles(new Dictionary<string, ProgramFile> { [Python] = ProgramFile.LinkTo(Version) });
    }

    /// <summary>Runs a module on this machine, as another user than root, and returns its results.</summary>
    public static IReadOnlyList<string> RunNatively(string module)
    {
        string[] command = [Python, "-c", Script, module];
        command = System.Environment.IsPrivilegedProcess ? [UserSwitch, "--reuid", User, "--regid", User, "--clear-groups", .. command] : command;
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach ((string name, string value) in Environment)
        {
            start.Environment.Add(name, value);
        }

        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        IReadOnlyList<string> results = Results(output);
        Assert.That(results, Is.Not.Empty, $"{module} has no result on this machine: {error.Result}");
        return results;
    }

    /// <summary>The lines that state results, without process ids and addresses.</summary>
    public static IReadOnlyList<string> Results(string output) =>
        [.. output.Split('\n').Where(static line => line.StartsWith("# ", StringComparison.Ordinal)).Select(static line => Varying().Replace(line, "N"))];

    private static string Fragment(string path) =>
        MarkdownPage.All.Single(page => page.Path == path).Fragments.Single(static fragment => fragment.Language == "python").Text;

    private static string Section(string heading) => Page.Prose.Split("\n## ").Single(section => section.StartsWith(heading, StringComparison.Ordinal));

    [GeneratedRegex("`(test_\\w+)`")]
    private static partial Regex ModuleName();

    [GeneratedRegex("0x[0-9a-f]+|(?<=test_)[0-9]+(?=_tmp)")]
    private static partial Regex Varying();
}
