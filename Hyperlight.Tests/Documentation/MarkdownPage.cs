using System.Text.RegularExpressions;

namespace Hyperlight.Tests.Documentation;

/// <summary>A Markdown file of the repository, and the code in it.</summary>
/// <param name="Path">Its path from the top of the repository.</param>
internal sealed partial record MarkdownPage(string Path)
{
    /// <summary>All Markdown files of the repository, except those in directories that a build writes.</summary>
    public static IReadOnlyList<MarkdownPage> All { get; } = Find();

    public string Text { get; } = File.ReadAllText(System.IO.Path.Combine(Repository.Root, Path)).ReplaceLineEndings("\n");

    /// <summary>The fenced blocks, in order.</summary>
    public IEnumerable<MarkdownFragment> Fragments =>
        Fence().Matches(Text).Select(m => new MarkdownFragment(this, m.Groups["language"].Value, m.Groups["text"].Value));

    /// <summary>The text without the fenced blocks.</summary>
    public string Prose => Fence().Replace(Text, "");

    /// <summary>What is set as code within sentences and tables.</summary>
    public IEnumerable<string> Spans =>
        Span().Matches(Prose).Select(m => Regex.Replace(m.Groups["text"].Value, @"\s+", " "));

    /// <summary>The rows of all tables, without those under the heading, each as its cells.</summary>
    public IEnumerable<string[]> Rows => Prose.Split('\n')
        .Where(line => line.StartsWith('|') && !line.StartsWith("| ---", StringComparison.Ordinal))
        .Select(line => Regex.Split(line.Trim('|', ' '), @"(?<!\\)\|").Select(cell => cell.Trim()).ToArray());

    public override string ToString() => Path;

    private static List<MarkdownPage> Find()
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden };
        return [.. Directory.EnumerateFiles(Repository.Root, "*.md", options)
            .Select(file => System.IO.Path.GetRelativePath(Repository.Root, file).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "artifacts" or "TestResults" or "BenchmarkDotNet.Artifacts"))
            .Order(StringComparer.Ordinal)
            .Select(path => new MarkdownPage(path))];
    }

    [GeneratedRegex("^```(?<language>\\w*)\n(?<text>.*?)^```$", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Fence();

    [GeneratedRegex("(?<ticks>`+)(?<text>.+?)\\k<ticks>", RegexOptions.Singleline)]
    private static partial Regex Span();
}

/// <summary>A fenced block of a Markdown file.</summary>
/// <param name="Page">The file.</param>
/// <param name="Language">The word behind the opening fence.</param>
/// <param name="Text">The lines between the fences.</param>
internal sealed record MarkdownFragment(MarkdownPage Page, string Language, string Text)
{
    public override string ToString() => $"{Page}: {Text.Split('\n')[0]}";
}
