using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Hyperlight.Tests.Documentation;

/// <summary>What the packages ask of their users, and what their page shows.</summary>
[TestFixture]
internal sealed class PackageTests
{
    [Test]
    public void The_libraries_need_no_later_version_of_the_extensions_than_the_first_for_this_framework()
    {
        // Those for language models have versions of their own.
        Version[] versions = [.. XDocument.Load(Path.Combine(Repository.Root, "Directory.Packages.props"))
            .Descendants("PackageVersion")
            .Where(e => e.Attribute("Include")!.Value.StartsWith("Microsoft.Extensions.", StringComparison.Ordinal))
            .Where(e => !e.Attribute("Include")!.Value.StartsWith("Microsoft.Extensions.AI", StringComparison.Ordinal))
            .Select(e => Version.Parse(e.Attribute("Version")!.Value))];

        Assert.That(versions, Is.Not.Empty);
        Assert.That(versions, Is.All.EqualTo(new Version(10, 0, 0)));
    }

    [Test]
    public void The_readme_of_a_package_has_no_links_that_need_the_repository()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "eng", "package", "README.md"));

        Assert.That(Regex.Matches(readme, @"\]\((?!https://)[^)]*\)").Select(m => m.Value), Is.Empty);
    }

    [Test]
    public void The_readme_of_a_package_shows_the_example_of_the_sample()
    {
        string readme = File.ReadAllText(Path.Combine(Repository.Root, "eng", "package", "README.md"));
        string[] example = [.. Regex.Match(readme, "```csharp\n(.*?)```", RegexOptions.Singleline).Groups[1].Value
            .Split('\n')
            .Select(line => line.Trim().Replace("\"hello.elf\"", "guest", StringComparison.Ordinal))
            .Where(line => line.Length > 0)];
        string[] sample = [.. File.ReadAllLines(Path.Combine(Repository.Root, "samples", "HelloWorld", "Program.cs")).Select(line => line.Trim())];

        Assert.That(example, Has.Length.GreaterThan(5));
        Assert.That(example, Is.SubsetOf(sample));
    }
}
