using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Documentation;

/// <summary>The table of system calls in docs/programs.md is that of the kernel.</summary>
[TestFixture]
internal sealed partial class SystemCallTableTests
{
    [Test]
    public void The_table_is_that_of_the_kernel()
    {
        string definitions = File.ReadAllText(Path.Combine(Repository.Root, "guests", "linux", "system_calls.def"));
        string[] expected = [.. Implemented().Matches(definitions)
            .Select(m => $"{m.Groups[1].Value} | `{m.Groups[2].Value}` | {m.Groups[3].Value}".TrimEnd(' ', '|'))];

        IEnumerable<string> actual = new MarkdownPage("docs/programs.md").Rows
            .SkipWhile(row => row[0] != "number").Skip(1)
            .Select(row => string.Join(" | ", row));

        Assert.That(expected, Has.Length.GreaterThan(30));
        Assert.That(actual, Is.EqualTo(expected));
    }

    [GeneratedRegex(@"^IMPLEMENTED\((\d+), (\w+), ""(.*)""\)$", RegexOptions.Multiline)]
    private static partial Regex Implemented();
}
