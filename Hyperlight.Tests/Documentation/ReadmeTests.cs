using System.Xml.Linq;

namespace Hyperlight.Tests.Documentation;

/// <summary>The README tells the truth.</summary>
[TestFixture]
internal sealed class ReadmeTests
{
    [Test]
    public void The_example_is_the_sample()
    {
        string[] readme = ReadLines("README.md");
        int start = Array.IndexOf(readme, "```csharp") + 1;
        string[] example = [.. readme[start..Array.IndexOf(readme, "```", start)].Where(line => line.Length > 0)];
        string[] sample = [.. ReadLines("samples/HelloWorld/Program.cs").Select(line => line.Trim())];

        Assert.That(example, Has.Length.GreaterThan(5));
        Assert.That(example.Select(line => line.Trim()), Is.SubsetOf(sample));
    }

    [Test]
    public void The_first_command_builds_the_sample_and_the_libraries_and_nothing_else()
    {
        var projects = new HashSet<string>();
        AddWithReferences(Path.Combine(Repository.Root, "samples", "HelloWorld", "HelloWorld.csproj"), projects);

        Assert.That(projects.Select(Path.GetFileNameWithoutExtension), Is.EquivalentTo(new[]
        {
            "HelloWorld", "Hyperlight.Host", "Hyperlight.Abstractions", "Hyperlight.Emulator", "Hyperlight.Kvm", "Hyperlight.Linux",
            "Hyperlight.Mshv", "Hyperlight.Whp",
        }));
    }

    private static void AddWithReferences(string project, HashSet<string> projects)
    {
        if (!projects.Add(project))
        {
            return;
        }

        foreach (XElement reference in XDocument.Load(project).Descendants("ProjectReference"))
        {
            string path = reference.Attribute("Include")!.Value.Replace('\\', '/');
            AddWithReferences(Path.GetFullPath(path, Path.GetDirectoryName(project)!), projects);
        }
    }

    [Test]
    public void Every_error_is_in_the_table()
    {
        string errors = string.Join('\n', ReadLines("docs/errors.md"));

        Assert.That(
            new[] { typeof(HyperlightException).Assembly, typeof(SandboxBuilder).Assembly }
                .SelectMany(a => a.GetExportedTypes())
                .Where(t => t.IsSubclassOf(typeof(HyperlightException)))
                .Select(t => t.Name)
                .Where(name => !errors.Contains($"`{name}`", StringComparison.Ordinal)),
            Is.Empty);
    }

    [Test]
    public void Every_link_leads_to_a_file()
    {
        string root = Repository.Root;
        string[] pages = [.. Directory.GetFiles(root, "*.md"), .. Directory.GetFiles(Path.Combine(root, "docs"), "*.md")];
        foreach (string page in pages)
        {
            foreach (System.Text.RegularExpressions.Match link in
                System.Text.RegularExpressions.Regex.Matches(File.ReadAllText(page), @"\]\(([^)#]+)\)"))
            {
                string path = Path.Combine(Path.GetDirectoryName(page)!, link.Groups[1].Value);
                Assert.That(File.Exists(path) || Directory.Exists(path), Is.True, $"{Path.GetFileName(page)}: {link.Value}");
            }
        }
    }

    private static string[] ReadLines(string path) => File.ReadAllLines(Path.Combine(Repository.Root, path));
}
