using System.Globalization;
using System.Text;

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// Text that a guest decides, made fit for logs, exceptions and consoles. A guest that may write anything there could forge
/// records, hide text, take control of a terminal, or fill a disk. So the text is bounded, and whatever is not visible is
/// escaped as in a C# string: control characters (escape sequences begin with one), the characters that end a line or
/// change its direction, others without a shape of their own (<see cref="DefaultIgnorable"/>), and halves of surrogate pairs.
/// </summary>
internal static class GuestText
{
    /// <summary>The most characters of one text in a log record or an exception's message.</summary>
    public const int MaximumLength = 4096;

    /// <summary>The most characters that one call of the print function writes to the console.</summary>
    public const int MaximumPrintLength = 65_536;

    private const string Ellipsis = "...";

    /// <summary>Makes a text fit for one line.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maximumLength">How many characters the result may have. A longer one ends with three dots.</param>
    public static string Escape(string text, int maximumLength = MaximumLength) => Escape(text, maximumLength, keepLines: false);

    /// <summary>Makes a text fit for the console: line ends and tabs stay as they are.</summary>
    public static string EscapeLines(string text) => Escape(text, MaximumPrintLength, keepLines: true);

    private static string Escape(string text, int maximumLength, bool keepLines)
    {
        int safe = SafeLength(text, keepLines);
        if (safe == text.Length && safe <= maximumLength)
        {
            return text;
        }

        var result = new StringBuilder(Math.Min(text.Length, maximumLength));
        int position = 0;
        int lengthBeforeEllipsis = 0;
        while (position < text.Length)
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(position), out _, out int consumed);
            Append(result, text, position, consumed, keepLines);
            position += consumed;
            if (result.Length > maximumLength)
            {
                result.Length = lengthBeforeEllipsis;
                return result.Append(Ellipsis).ToString();
            }

            if (result.Length <= maximumLength - Ellipsis.Length)
            {
                lengthBeforeEllipsis = result.Length;
            }
        }

        return result.ToString();
    }

    private static int SafeLength(string text, bool keepLines)
    {
        int position = 0;
        while (position < text.Length)
        {
            _ = Rune.DecodeFromUtf16(text.AsSpan(position), out _, out int consumed);
            if (!IsSafe(text, position, keepLines))
            {
                break;
            }

            position += consumed;
        }

        return position;
    }

    private static bool IsSafe(string text, int position, bool keepLines) => text[position] switch
    {
        '\n' or '\t' => keepLines,
        '\r' => keepLines && position + 1 < text.Length && text[position + 1] == '\n',
        _ => CharUnicodeInfo.GetUnicodeCategory(text, position) is not (
            UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            && !(Rune.TryGetRuneAt(text, position, out Rune rune) && DefaultIgnorable.Contains(rune.Value)),
    };

    private static void Append(StringBuilder result, string text, int position, int length, bool keepLines)
    {
        if (IsSafe(text, position, keepLines))
        {
            result.Append(text, position, length);
            return;
        }

        _ = text[position] switch
        {
            '\n' => result.Append("\\n"),
            '\r' => result.Append("\\r"),
            '\t' => result.Append("\\t"),
            _ when length == 2 => result.Append(CultureInfo.InvariantCulture, $"\\U{char.ConvertToUtf32(text, position):X8}"),
            char other => result.Append(CultureInfo.InvariantCulture, $"\\u{(int)other:X4}"),
        };
    }
}
