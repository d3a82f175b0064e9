using System.Buffers;
using System.Text;

namespace Hyperlight.Host.Wire;

/// <summary>
/// UTF-16 text on its way to a guest, which takes UTF-8 alone. A surrogate without its partner has no UTF-8 form, and an encoder
/// would silently send another character instead.
/// </summary>
internal static class UnicodeText
{
    // A search for a range boxes its bounds until the runtime has compiled it with optimisation; a set of values never does.
    private static readonly SearchValues<char> Surrogates =
        SearchValues.Create([.. Enumerable.Range(0xD800, 0x800).Select(static unit => (char)unit)]);

    /// <summary>Refuses text that has no UTF-8 form.</summary>
    /// <exception cref="ArgumentException">The text has a lone surrogate.</exception>
    public static void ThrowIfInvalid(ReadOnlySpan<char> text)
    {
        int index = IndexOfLoneSurrogate(text);
        if (index >= 0)
        {
            throw new ArgumentException(
                $"Text of {text.Length} characters is not valid Unicode: there is a lone surrogate (0x{(int)text[index]:X4}) at index {index}.");
        }
    }

    /// <summary>The text with the replacement character in place of each lone surrogate.</summary>
    public static string ReplaceInvalid(string text) =>
        IndexOfLoneSurrogate(text) < 0 ? text : Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));

    private static int IndexOfLoneSurrogate(ReadOnlySpan<char> text)
    {
        int index = text.IndexOfAny(Surrogates);
        while (index >= 0 && index + 1 < text.Length && char.IsSurrogatePair(text[index], text[index + 1]))
        {
            int next = text[(index + 2)..].IndexOfAny(Surrogates);
            index = next < 0 ? -1 : index + 2 + next;
        }

        return index;
    }
}
