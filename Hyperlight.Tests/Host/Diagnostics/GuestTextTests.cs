using System.Globalization;
using System.Text;
using Hyperlight.Host.Diagnostics;

namespace Hyperlight.Tests.Host.Diagnostics;

/// <summary>Text that a guest decides is bounded and has no character that a reader would not see.</summary>
[TestFixture]
internal sealed class GuestTextTests
{
    /// <summary>Whether a text has only characters that are visible, in one line, and in the order in which they stand.</summary>
    public static bool IsSafe(string text, string allowed = "") => text.EnumerateRunes().All(rune => IsSafe(rune, allowed)) && !HasLoneSurrogate(text);

    [Test]
    public void Each_character_of_unicode_is_shown_or_escaped()
    {
        for (int value = 0; value <= 0x10_FFFF; value++)
        {
            if (!Rune.IsValid(value))
            {
                continue;
            }

            string text = $"a{new Rune(value)}b";
            string escaped = GuestText.Escape(text);
            if (IsSafe(new Rune(value), ""))
            {
                Assert.That(escaped, Is.SameAs(text));
            }
            else if (!IsSafe(escaped) || escaped.Length < 4)
            {
                Assert.Fail($"U+{value:X}: {escaped}");
            }
        }
    }

    [TestCase("\u001B[2J", "\\u001B[2J", Description = "clears a terminal")]
    [TestCase("a\r\nfail: forged", "a\\r\\nfail: forged", Description = "forges a record")]
    [TestCase("\u202Etxt.exe", "\\u202Etxt.exe", Description = "changes the direction")]
    [TestCase("a\u2028b\u2029c\u0085d", "a\\u2028b\\u2029c\\u0085d", Description = "ends a line in some viewers")]
    [TestCase("\U000E0041", "\\U000E0041", Description = "an invisible tag")]
    [TestCase("a\tb\0", "a\\tb\\u0000", Description = "controls")]
    [TestCase("Grüße \U0001F600 漢字", "Grüße \U0001F600 漢字", Description = "text")]
    [TestCase("", "")]
    public void Text_is_escaped_as_in_a_csharp_string(string text, string expected) => Assert.That(GuestText.Escape(text), Is.EqualTo(expected));

    [Test]
    public void Halves_of_surrogate_pairs_are_escaped()
    {
        // Attributes cannot have them.
        Assert.That(GuestText.Escape("a\uD800b"), Is.EqualTo("a\\uD800b"));
        Assert.That(GuestText.Escape("\uDC00\uD83D\uDE00\uD83D"), Is.EqualTo("\\uDC00\U0001F600\\uD83D"));
    }

    [Test]
    public void A_text_is_bounded([Values("x", "\n", "\u202E", "\U0001F600", "\U000E0041")] string part, [Values(3, 10, 64, 4096)] int limit)
    {
        for (int count = 0; count < limit + 2; count = (count * 2) + 1)
        {
            string escaped = GuestText.Escape(string.Concat(Enumerable.Repeat(part, count)), limit);
            Assert.That(escaped, Has.Length.LessThanOrEqualTo(limit));
            Assert.That(IsSafe(escaped), escaped);
        }

        Assert.That(GuestText.Escape(string.Concat(Enumerable.Repeat(part, limit + 1)), limit), Does.EndWith("..."));
        Assert.That(GuestText.Escape(new string('x', limit), limit), Has.Length.EqualTo(limit).And.Not.Contain("."));
    }

    [Test]
    public void On_the_console_line_ends_and_tabs_are_not_escaped()
    {
        Assert.That(GuestText.EscapeLines("a\tb\r\nc\nd\re\u001B[0m"), Is.EqualTo("a\tb\r\nc\nd\\re\\u001B[0m"));
        Assert.That(GuestText.EscapeLines(new string('x', 1 << 20)), Has.Length.EqualTo(GuestText.MaximumPrintLength));
    }

    [Test]
    public void Output_is_cut_into_lines_that_are_bounded()
    {
        var lines = new List<string>();
        var output = new OutputLines(lines.Add);

        output.Write("one\ntw");
        output.Write("o\r\n\n\nthree");
        Assert.That(lines, Is.EqualTo(new[] { "one", "two" }));
        output.Flush();
        output.Flush();
        Assert.That(lines, Is.EqualTo(new[] { "one", "two", "three" }));
        output.Write(string.Concat(Enumerable.Repeat("\U0001F600", 10_000)));
        output.Flush();
        Assert.That(lines, Has.All.Length.LessThanOrEqualTo(GuestText.MaximumLength));
        Assert.That(lines.Where(HasLoneSurrogate), Is.Empty);
    }

    private static bool IsSafe(Rune rune, string allowed) => allowed.Contains(rune.ToString(), StringComparison.Ordinal)
        || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);

    private static bool HasLoneSurrogate(string text) => text.Where((c, i) =>
        (char.IsHighSurrogate(c) && (i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])))
        || (char.IsLowSurrogate(c) && (i == 0 || !char.IsHighSurrogate(text[i - 1])))).Any();
}
