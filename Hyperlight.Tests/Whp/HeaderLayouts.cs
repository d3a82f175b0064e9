using System.Globalization;

namespace Hyperlight.Tests.Whp;

/// <summary>
/// What a C compiler says about the public headers: lines of a kind, a name, the name of a member where there is one, and a
/// number.
/// </summary>
internal sealed class HeaderLayouts
{
    private readonly Dictionary<string, ulong> _lines = [];

    public HeaderLayouts(string path)
    {
        foreach (string line in File.ReadLines(path))
        {
            int end = line.LastIndexOf(' ');
            _lines.Add(line[..end], ulong.Parse(line.AsSpan(end + 1), CultureInfo.InvariantCulture));
        }
    }

    public ulong this[string line] => _lines.TryGetValue(line, out ulong number)
        ? number
        : throw new KeyNotFoundException($"The headers' layouts have no line '{line}': add it to layouts.c.");

    /// <summary>The offset of a field, whatever its name has in front to say what type it has.</summary>
    /// <param name="structure">The structure's name in the header.</param>
    /// <param name="field">The field's name here, such as <c>FileAttributes</c> for <c>dwFileAttributes</c>.</param>
    public ulong Offset(string structure, string field)
    {
        string prefix = $"offset {structure} ";
        KeyValuePair<string, ulong>[] matches = [.. _lines.Where(line => line.Key.StartsWith(prefix, StringComparison.Ordinal)
            && IsName(line.Key[prefix.Length..], field))];
        Assert.That(matches, Has.Length.EqualTo(1), $"{structure}.{field} in layouts.c");
        return matches[0].Value;
    }

    private static bool IsName(string header, string field) =>
        string.Equals(header, field, StringComparison.OrdinalIgnoreCase) || header.TrimStart("abcdefghijklmnopqrstuvwxyz".ToCharArray()) == field;
}
