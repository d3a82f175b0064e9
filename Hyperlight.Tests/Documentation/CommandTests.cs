using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Documentation;

/// <summary>
/// The shell commands of the Markdown files: what they name exists. The two commands at the top of README.md, the samples and
/// the guests are run by .ci/run; the command that builds a guest elsewhere is run by ExternalGuestTests.
/// </summary>
[TestFixture]
internal sealed partial class CommandTests
{
    private static readonly string[] Commands = [.. MarkdownPage.All.SelectMany(page => page.Fragments
        .Where(f => f.Language == "sh")
        .SelectMany(f => f.Text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        .Concat(page.Spans.Where(span => CommandStart().IsMatch(span))))];

    [Test]
    public void Every_command_is_of_a_known_program()
    {
        Assert.That(Commands, Has.Length.GreaterThan(20));
        Assert.That(Commands.Where(command => !CommandStart().IsMatch(command)), Is.Empty);
    }

    [Test]
    public void Every_script_exists()
    {
        string[] scripts = [.. Values(@"^(eng/\S+\.sh)")];

        Assert.That(scripts, Is.Not.Empty);
        Assert.That(scripts.Where(s => !File.Exists(Path.Combine(Repository.Root, s))), Is.Empty);
    }

    [Test]
    public void Every_project_exists()
    {
        string[] projects = [.. Values(@"--project (\S+)").Concat(Values(@"dotnet test (Hyperlight\S*)"))];

        Assert.That(projects, Has.Length.GreaterThan(3));
        Assert.That(projects.Where(p => Directory.GetFiles(Path.Combine(Repository.Root, p), "*.csproj").Length != 1), Is.Empty);
    }

    [Test]
    public void Every_target_of_the_pipeline_exists()
    {
        string[] targets = [.. Values(@"dotnet cake --target=(\w+)")];
        string cake = Read("build.cake");

        Assert.That(targets, Has.Length.GreaterThan(3));
        Assert.That(targets.Where(target => !cake.Contains($"Task(\"{target}\")", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Every_target_and_variable_of_make_exists()
    {
        string makefiles = Read("guests/Makefile") + Read("guests/external.mk");
        string[] targets = [.. Values(@"^make (?:-C \S+ )?([a-z]+)$")];
        string[] variables = [.. Commands.Where(c => c.StartsWith("make ", StringComparison.Ordinal))
            .SelectMany(c => Regex.Matches(c, @" ([A-Z_]+)=")).Select(m => m.Groups[1].Value).Distinct()];

        Assert.That(targets, Is.SupersetOf(new[] { "check", "install" }));
        Assert.That(targets.Where(t => !Regex.IsMatch(makefiles, $"^{t}:", RegexOptions.Multiline)), Is.Empty);
        Assert.That(variables, Is.SupersetOf(new[] { "GUEST", "SOURCES", "MODE" }));
        Assert.That(variables.Where(v => !makefiles.Contains($"$({v})", StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Every_option_of_the_benchmarks_and_of_the_soak_is_known()
    {
        string sources = string.Concat(Directory.GetFiles(Path.Combine(Repository.Root, "Hyperlight.Benchmarks"), "*.cs", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(Path.Combine(Repository.Root, "Hyperlight.Tests", "Soak"), "*.cs"))
            .Select(File.ReadAllText));
        string[] options = [.. Commands.Where(c => c.Contains(" -- ", StringComparison.Ordinal))
            .SelectMany(c => Regex.Matches(c[c.IndexOf(" -- ", StringComparison.Ordinal)..], @" (--[a-z]+)")).Select(m => m.Groups[1].Value).Distinct()];

        Assert.That(options, Is.SupersetOf(new[] { "--quick", "--minutes" }));
        Assert.That(options.Where(option => !sources.Contains(option, StringComparison.Ordinal)), Is.Empty);
    }

    [Test]
    public void Every_test_that_a_filter_names_exists()
    {
        string[] filters = [.. Values(@"FullyQualifiedName~(\w+)")];
        string[] names = [.. typeof(CommandTests).Assembly.GetTypes().Select(t => t.FullName!)];

        Assert.That(filters, Is.Not.Empty);
        Assert.That(filters.Where(filter => !names.Any(name => name.Contains(filter, StringComparison.Ordinal))), Is.Empty);
    }

    [Test]
    public void Every_package_that_is_installed_is_one_of_ours()
    {
        string[] packages = [.. Values(@"dotnet add package (\S+)")];

        Assert.That(packages, Is.Not.Empty);
        Assert.That(packages.Where(p => !File.Exists(Path.Combine(Repository.Root, p, $"{p}.csproj"))), Is.Empty);
    }

    private static IEnumerable<string> Values(string pattern) =>
        Commands.SelectMany(c => Regex.Matches(c, pattern)).Select(m => m.Groups[1].Value).Distinct();

    private static string Read(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    [GeneratedRegex(@"^(HYPERLIGHT_TEST_\w+=1 )?dotnet (run|test|add|new|cake|tool|format)\b|^make( |$)|^sudo usermod |^curl |^cd \S+$|^eng/\S+\.sh\b")]
    private static partial Regex CommandStart();
}
