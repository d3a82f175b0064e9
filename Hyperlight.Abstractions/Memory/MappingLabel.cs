using System.Text;

namespace Hyperlight.Abstractions;

/// <summary>The rules for the names of file mappings, the same for every driver.</summary>
public static class MappingLabel
{
    /// <summary>Longest label in bytes of UTF-8, without its terminator.</summary>
    public const int MaxBytes = 63;

    /// <summary>The label of a path that has no file name.</summary>
    public const string Unknown = "unknown";

    /// <summary>Chooses a label: the explicit one if it is valid, else the file name, shortened between characters if it is too long.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="label">The explicit label, or <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The explicit label holds NUL or is longer than <see cref="MaxBytes"/>.</exception>
    public static string Choose(string path, string? label)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (label is not null)
        {
            return Validate(label);
        }

        string name = Path.GetFileName(path);
        return name.Length == 0 ? Unknown : Shorten(name);
    }

    private static string Validate(string label)
    {
        if (label.Contains('\0'))
        {
            throw new ArgumentException("A mapping label must not contain NUL.", nameof(label));
        }

        int bytes = Encoding.UTF8.GetByteCount(label);
        return bytes <= MaxBytes
            ? label
            : throw new ArgumentException(
                $"The mapping label '{label}' is {bytes} bytes of UTF-8; at most {MaxBytes} fit.", nameof(label));
    }

    private static string Shorten(string name)
    {
        int bytes = 0;
        int chars = 0;
        foreach (Rune rune in name.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > MaxBytes)
            {
                break;
            }

            chars += rune.Utf16SequenceLength;
        }

        return name[..chars];
    }
}
