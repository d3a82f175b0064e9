using System.Text.RegularExpressions;
using Hyperlight.Tests.Documentation.Fragments;

namespace Hyperlight.Tests.Documentation;

/// <summary>
/// Every fragment of code in a Markdown file is compiled and run. C# fragments stand in a test of the folder Fragments or in a sample,
/// word for word; JSON, C, Lua, Python and shell fragments are read from the pages by tests of their own.
/// </summary>
[TestFixture]
internal sealed class FragmentTests
{
    private static IEnumerable<MarkdownFragment> Fragments(string language) =>
        MarkdownPage.All.SelectMany(page => page.Fragments).Where(f => f.Language == language);

    [Test]
    public void Every_fence_names_a_language_that_a_test_knows()
    {
        string[] known = ["csharp", "c", "json", "lua", "python", "sh", "text", "xml"];

        Assert.That(
            MarkdownPage.All.SelectMany(page => page.Fragments).Where(f => !known.Contains(f.Language)).Select(f => f.ToString()),
            Is.Empty);
        Assert.That(
            MarkdownPage.All.Where(page => Regex.Count(page.Text, "^```", RegexOptions.Multiline) != 2 * page.Fragments.Count()),
            Is.Empty,
            "fences that are not closed or not at the start of a line");
        Assert.That(
            MarkdownPage.All.Where(page => Regex.IsMatch(page.Prose, "\n\n    \\S")), Is.Empty, "code that is indented instead of fenced");
    }

    [Test]
    public void Every_csharp_fragment_is_in_a_test_of_the_folder_Fragments_or_in_a_sample()
    {
        string[] sources = [.. Directory.GetFiles(Path.Combine(Repository.Root, "Hyperlight.Tests", "Documentation", "Fragments"), "*.cs")
            .Concat(Samples().SelectMany(SourcesOf))
            .Select(file => Unindent(File.ReadAllText(file)))];
        MarkdownFragment[] fragments = [.. Fragments("csharp")];

        Assert.That(fragments, Has.Length.GreaterThan(10));
        Assert.That(
            fragments.Where(f => !sources.Any(source => source.Contains(Unindent(WithoutUsings(f.Text)), StringComparison.Ordinal))).Select(f => f.ToString()),
            Is.Empty,
            "fragments that no test runs");
    }

    [Test]
    public void Every_namespace_that_a_fragment_uses_exists()
    {
        string[] namespaces = [.. Fragments("csharp").SelectMany(f => Regex.Matches(f.Text, @"^using (\w[\w.]*);", RegexOptions.Multiline))
            .Select(m => m.Groups[1].Value).Distinct()];

        Assert.That(namespaces, Is.Not.Empty);
        Assert.That(namespaces, Is.SubsetOf(PublicApi.Types.Select(type => type.Namespace)));
    }

    [Test]
    public void Every_class_in_the_folder_Fragments_has_only_tests()
    {
        IEnumerable<System.Reflection.MethodInfo> methods = typeof(FragmentTests).Assembly.GetTypes()
            .Where(type => type.IsSubclassOf(typeof(FragmentFixture)))
            .SelectMany(type => type.GetMethods(System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.Public | System.Reflection.BindingFlags.DeclaredOnly))
            .Where(method => method.Name != nameof(IDisposable.Dispose));

        Assert.That(methods.Where(m => !m.IsDefined(typeof(TestAttribute), inherit: false) || m.IsDefined(typeof(IgnoreAttribute), inherit: false)), Is.Empty);
    }

    /// <summary>The directories of the samples, all of which the solution compiles.</summary>
    private static IEnumerable<string> Samples()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "Hyperlight.slnx"));
        return Directory.GetDirectories(Path.Combine(Repository.Root, "samples"))
            .Where(sample => solution.Contains($"samples/{Path.GetFileName(sample)}/", StringComparison.Ordinal));
    }

    private static IEnumerable<string> SourcesOf(string sample) => Directory.GetFiles(sample, "*.cs", SearchOption.AllDirectories)
        .Where(static file => !file.Split(Path.DirectorySeparatorChar).Contains("obj"));

    private static string WithoutUsings(string text) => Regex.Replace(text, @"^using [\w.]+;\n\n?", "", RegexOptions.Multiline);

    /// <summary>Removes the indentation of every line.</summary>
    private static string Unindent(string text) => Regex.Replace(text.ReplaceLineEndings("\n"), "^ +", "", RegexOptions.Multiline);
}
