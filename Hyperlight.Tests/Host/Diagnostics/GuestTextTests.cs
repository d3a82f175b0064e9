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

    /// <summary>DerivedCoreProperties.txt of Unicode 17.0.0, the lines with Default_Ignorable_Code_Point.</summary>
    [TestCase(0x00AD, 0x00AD, Description = "SOFT HYPHEN")]
    [TestCase(0x034F, 0x034F, Description = "COMBINING GRAPHEME JOINER")]
    [TestCase(0x061C, 0x061C, Description = "ARABIC LETTER MARK")]
    [TestCase(0x115F, 0x1160, Description = "HANGUL CHOSEONG FILLER and JUNGSEONG FILLER")]
    [TestCase(0x17B4, 0x17B5, Description = "KHMER VOWEL INHERENT AQ and AA")]
    [TestCase(0x180B, 0x180D, Description = "MONGOLIAN FREE VARIATION SELECTORS")]
    [TestCase(0x180E, 0x180E, Description = "MONGOLIAN VOWEL SEPARATOR")]
    [TestCase(0x180F, 0x180F, Description = "MONGOLIAN FREE VARIATION SELECTOR FOUR")]
    [TestCase(0x200B, 0x200F, Description = "ZERO WIDTH SPACE to RIGHT-TO-LEFT MARK")]
    [TestCase(0x202A, 0x202E, Description = "embeddings and overrides")]
    [TestCase(0x2060, 0x2064, Description = "WORD JOINER to INVISIBLE PLUS")]
    [TestCase(0x2065, 0x2065, Description = "reserved")]
    [TestCase(0x2066, 0x206F, Description = "isolates and deprecated format characters")]
    [TestCase(0x3164, 0x3164, Description = "HANGUL FILLER")]
    [TestCase(0xFE00, 0xFE0F, Description = "VARIATION SELECTORS")]
    [TestCase(0xFEFF, 0xFEFF, Description = "ZERO WIDTH NO-BREAK SPACE")]
    [TestCase(0xFFA0, 0xFFA0, Description = "HALFWIDTH HANGUL FILLER")]
    [TestCase(0xFFF0, 0xFFF8, Description = "reserved")]
    [TestCase(0x1BCA0, 0x1BCA3, Description = "SHORTHAND FORMAT controls")]
    [TestCase(0x1D173, 0x1D17A, Description = "MUSICAL SYMBOL begins and ends")]
    [TestCase(0xE0000, 0xE0FFF, Description = "tags, VARIATION SELECTORS SUPPLEMENT and reserved")]
    public void Code_points_that_are_not_displayed_are_escaped(int first, int last)
    {
        for (int value = first; value <= last; value++)
        {
            string escaped = value > 0xFFFF ? $"\\U{value:X8}" : $"\\u{value:X4}";
            Assert.That(GuestText.Escape($"a{new Rune(value)}b"), Is.EqualTo($"a{escaped}b"));
            Assert.That(GuestText.EscapeLines($"{new Rune(value)}\n"), Is.EqualTo($"{escaped}\n"));
        }

        foreach (int beside in new[] { first - 1, last + 1 }.Where(v => !NotDisplayed.Any(r => v >= r.First && v <= r.Last)))
        {
            string text = $"a{new Rune(beside)}b";
            Assert.That(GuestText.Escape(text), IsSafe(new Rune(beside), "") ? Is.SameAs(text) : Is.Not.EqualTo(text), $"U+{beside:X}");
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

    /// <summary>The ranges of the test cases.</summary>
    private static readonly (int First, int Last)[] NotDisplayed =
    [
        .. typeof(GuestTextTests).GetMethod(nameof(Code_points_that_are_not_displayed_are_escaped))!
            .GetCustomAttributes(typeof(TestCaseAttribute), inherit: false)
            .Select(static a => (TestCaseAttribute)a)
            .Select(static a => ((int)a.Arguments[0]!, (int)a.Arguments[1]!)),
    ];

    private static bool IsSafe(Rune rune, string allowed) => allowed.Contains(rune.ToString(), StringComparison.Ordinal)
        || Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            && !NotDisplayed.Any(r => rune.Value >= r.First && rune.Value <= r.Last);

    private static bool HasLoneSurrogate(string text) => text.Where((c, i) =>
        (char.IsHighSurrogate(c) && (i + 1 == text.Length || !char.IsLowSurrogate(text[i + 1])))
        || (char.IsLowSurrogate(c) && (i == 0 || !char.IsHighSurrogate(text[i - 1])))).Any();
}
