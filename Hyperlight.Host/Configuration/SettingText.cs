using System.Globalization;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Configuration;

/// <summary>Reads the values of settings. Each method throws <see cref="FormatException"/> for a text that is not such a value.</summary>
internal static class SettingText
{
    /// <summary>What <see cref="Threads"/> reads.</summary>
    public const string GuestThreadsExpected = "a number of threads above 0, such as '8'";

    private static readonly (string Suffix, ulong Bytes)[] Units =
        [("GiB", 1UL << 30), ("MiB", 1UL << 20), ("KiB", 1UL << 10), ("bytes", 1), ("B", 1)];

    /// <summary>A number of bytes, with a unit or without: <c>262144</c>, <c>256 KiB</c>, <c>1.5 GiB</c>.</summary>
    public static ulong Size(string text)
    {
        ReadOnlySpan<char> number = text.AsSpan().Trim();
        ulong unit = 1;
        foreach ((string suffix, ulong bytes) in Units)
        {
            if (number.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
            {
                unit = bytes;
                number = number[..^suffix.Length].TrimEnd();
                break;
            }
        }

        return decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal count)
            && count <= ulong.MaxValue / unit && decimal.IsInteger(count * unit)
            ? (ulong)(count * unit)
            : throw new FormatException();
    }

    /// <summary>A size of at most 2 GiB less a byte.</summary>
    public static int SmallSize(string text) => Size(text) is <= int.MaxValue and var size ? (int)size : throw new FormatException();

    /// <summary>An address in hexadecimal, such as <c>0x40000000</c>, or a number as of <see cref="Size"/>.</summary>
    public static ulong Address(string text) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? ulong.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        : Size(text);

    /// <summary>A size of at most 8 EiB less a byte.</summary>
    public static long LongSize(string text) => Size(text) is <= long.MaxValue and var size ? (long)size : throw new FormatException();

    /// <summary>A whole number.</summary>
    public static long Count(string text) => long.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture);

    /// <summary>A whole number of 32 bits.</summary>
    public static int SmallCount(string text) => int.Parse(text, NumberStyles.Integer, CultureInfo.InvariantCulture);

    /// <summary>Any 64-bit number.</summary>
    public static ulong Seed(string text) => ulong.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <summary><c>Infinite</c>, or hours, minutes and seconds: a number alone could be any of them.</summary>
    public static TimeSpan Duration(string text) => string.Equals(text, nameof(Timeout.Infinite), StringComparison.OrdinalIgnoreCase)
        ? Timeout.InfiniteTimeSpan
        : text.Contains(':', StringComparison.Ordinal) ? TimeSpan.ParseExact(text, "c", CultureInfo.InvariantCulture)
        : throw new FormatException();

    /// <summary>A date and a time of ISO 8601 to the second, such as <c>2026-01-01T00:00:00Z</c>; of UTC unless it says otherwise.</summary>
    public static DateTimeOffset Instant(string text) =>
        DateTimeOffset.ParseExact(text, "yyyy-MM-dd'T'HH:mm:ssK", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    /// <summary><c>true</c> or <c>false</c>.</summary>
    public static bool Flag(string text) => bool.Parse(text);

    /// <summary>The name of a member of an enumeration; a number is none.</summary>
    public static TEnum Name<TEnum>(string text)
        where TEnum : struct, Enum =>
        Enum.TryParse(text, ignoreCase: true, out TEnum value) && Enum.IsDefined(value) && char.IsLetter(text.Trim()[0])
            ? value
            : throw new FormatException();

    /// <summary>Any text but an empty one.</summary>
    public static string NotEmpty(string text) => string.IsNullOrWhiteSpace(text) ? throw new FormatException() : text;

    /// <summary>A number of threads.</summary>
    public static GuestThreads Threads(string text) => new(SmallCount(text));

    /// <summary><c>Default</c> or <c>None</c>, and numbers of further model-specific registers in hexadecimal.</summary>
    public static MsrPolicy Msrs(string[] texts)
    {
        MsrPolicy policy = texts[0].ToUpperInvariant() switch
        {
            "DEFAULT" => MsrPolicy.Default,
            "NONE" => MsrPolicy.None,
            _ => throw new FormatException(),
        };
        try
        {
            return policy.With([.. texts[1..].Select(MsrIndex)]);
        }
        catch (GuestMsrException exception)
        {
            throw new FormatException(exception.Message, exception);
        }
    }

    /// <summary><c>Compatible</c>, <c>Any</c>, or versions.</summary>
    public static GuestVersionPolicy VersionPolicy(string[] texts) => texts switch
    {
        [var word] when string.Equals(word, nameof(GuestVersionPolicy.Compatible), StringComparison.OrdinalIgnoreCase) => GuestVersionPolicy.Compatible,
        [var word] when string.Equals(word, nameof(GuestVersionPolicy.Any), StringComparison.OrdinalIgnoreCase) => GuestVersionPolicy.Any,
        _ when texts.All(text => text.Length > 0 && char.IsAsciiDigit(text[0])) => GuestVersionPolicy.Exactly(texts),
        _ => throw new FormatException(),
    };

    private static uint MsrIndex(string text) => text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
        ? uint.Parse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
        : throw new FormatException();
}
