using System.Text;

namespace Hyperlight.Programs.Images;

/// <summary>Checks paths in images.</summary>
internal static class ImagePath
{
    public const int MaximumNameBytes = 255;
    public const int MaximumPathBytes = 4095;

    private const char Replacement = '\uFFFD';

    /// <summary>The names that a relative path consists of; none for the root. Names <c>.</c> and empty names are left out.</summary>
    /// <param name="path">The path.</param>
    /// <param name="names">Receives the names.</param>
    /// <returns>What is wrong with the path, or <see langword="null"/>.</returns>
    public static string? TrySplit(string path, out IReadOnlyList<string> names)
    {
        var list = new List<string>();
        names = list;
        if (path.StartsWith('/'))
        {
            return "is an absolute path";
        }

        if (Encoding.UTF8.GetByteCount(path) > MaximumPathBytes)
        {
            return $"has a path of more than {MaximumPathBytes} bytes";
        }

        foreach (string name in path.Split('/'))
        {
            if (name is "" or ".")
            {
                continue;
            }

            if (CheckName(name) is { } problem)
            {
                return problem;
            }

            list.Add(name);
        }

        return null;
    }

    /// <summary>What is wrong with the target of a symbolic link, or <see langword="null"/>.</summary>
    public static string? CheckTarget(string target) =>
        target.Length == 0 ? "is a link without a target"
        : !IsText(target) ? "is a link whose target is not valid UTF-8"
        : Encoding.UTF8.GetByteCount(target) > MaximumPathBytes ? $"is a link whose target has more than {MaximumPathBytes} bytes"
        : null;

    private static string? CheckName(string name) =>
        name == ".." ? "leaves its directory with '..'"
        : !IsText(name) ? "has a name that is not valid UTF-8"
        : Encoding.UTF8.GetByteCount(name) > MaximumNameBytes ? $"has a name of more than {MaximumNameBytes} bytes"
        : null;

    // .NET replaces bytes that are not UTF-8; such a file could not be opened by the name it has here.
    private static bool IsText(string text)
    {
        if (text.AsSpan().ContainsAny('\0', Replacement))
        {
            return false;
        }

        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
            {
                continue;
            }

            if (i + 1 == text.Length || !char.IsSurrogatePair(text[i], text[i + 1]))
            {
                return false;
            }

            i++;
        }

        return true;
    }
}
