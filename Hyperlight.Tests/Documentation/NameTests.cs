using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Documentation;

/// <summary>Names of types, members and files that the Markdown files set as code exist.</summary>
[TestFixture]
internal sealed partial class NameTests
{
    /// <summary>Methods and attributes of .NET, and a text that looks like a call.</summary>
    private static readonly string[] OtherMethods =
    [
        "AddHealthChecks", "ApprovalRequiredAIFunction", "ChatClientAgent", "Configure", "FromKeyedServices", "FromSeconds", "GetRequiredKeyedService", "Long", "RAND_add",
    ];

    // The pages about C guests, about measurements and about the function service name C functions and guest functions.
    private static IEnumerable<(MarkdownPage Page, string Span)> Spans => MarkdownPage.All
        .Where(page => page.Path is not "guests/README.md" and not "Hyperlight.Benchmarks/README.md" and not "samples/AspNetFunctions/README.md")
        .SelectMany(page => page.Spans.Select(span => (page, span)));

    [Test]
    public void Every_member_of_a_public_type_exists()
    {
        var members = Spans
            .SelectMany(s => Member().Matches(s.Span).Select(m => (s.Page, Type: m.Groups[1].Value, Name: m.Groups[2].Value)))
            .Select(m => (m.Page, Types: PublicApi.Types.Where(t => t.Name.Split('`')[0] == m.Type).ToArray(), m.Type, m.Name))
            .Where(m => m.Types.Length > 0)
            .ToArray();

        Assert.That(members, Has.Length.GreaterThan(30));
        Assert.That(members.Where(m => !m.Types.Any(t => PublicApi.HasMember(t, m.Name))).Select(m => $"{m.Page}: {m.Type}.{m.Name}"), Is.Empty);
    }

    [Test]
    public void Every_method_exists()
    {
        var methods = Spans.SelectMany(s => Method().Matches(s.Span).Select(m => (s.Page, Name: m.Groups[1].Value))).Distinct().ToArray();

        Assert.That(methods, Has.Length.GreaterThan(20));
        Assert.That(
            methods.Where(m => !PublicApi.HasMethod(m.Name) && !OtherMethods.Contains(m.Name)).Select(m => $"{m.Page}: {m.Name}"),
            Is.Empty);
    }

    [Test]
    public void Every_path_exists()
    {
        var paths = MarkdownPage.All.SelectMany(page => page.Spans.Where(span => RepositoryPath().IsMatch(span)).Select(path => (page, path))).ToArray();

        Assert.That(paths, Has.Length.GreaterThan(3));
        Assert.That(
            paths.Where(p => !Exists(p.path) && !Exists(Path.Combine(Path.GetDirectoryName(p.page.Path)!, p.path))).Select(p => $"{p.page}: {p.path}"),
            Is.Empty);
    }

    private static bool Exists(string path) =>
        Path.Combine(Repository.Root, path) is { } full && (File.Exists(full) || Directory.Exists(full));

    [GeneratedRegex(@"\b([A-Z]\w+)\.([A-Z]\w+)\b")]
    private static partial Regex Member();

    [GeneratedRegex(@"(?<![\w""`])([A-Z]\w+)(?:<[^>()]*>)?\((?!i\)|s\))")]
    private static partial Regex Method();

    [GeneratedRegex(@"^(docs|guests|eng|samples|Hyperlight\.[A-Z]\w+)/[\w./-]*$")]
    private static partial Regex RepositoryPath();
}
