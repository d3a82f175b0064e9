using System.Collections.Concurrent;

namespace Hyperlight.Host.Diagnostics.Telemetry;

/// <summary>
/// The values of a tag that callers or guests choose. Each value is a time series that is stored for ever, so the number and
/// the length of values are limited; all others become <see cref="Tags.Other"/>. Thread-safe.
/// </summary>
internal sealed class TagValues
{
    /// <summary>How many values a tag can have, besides <see cref="Tags.Other"/>.</summary>
    public const int MaximumCount = 100;

    /// <summary>The length of the longest value, in UTF-16 code units.</summary>
    public const int MaximumLength = 100;

    private readonly ConcurrentDictionary<string, string> _values = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>The value for a text, which takes one of the places if there is one.</summary>
    public string Add(string text)
    {
        if (_values.TryGetValue(text, out string? value))
        {
            return value;
        }

        if (Volatile.Read(ref _count) >= MaximumCount || GuestText.Escape(text, MaximumLength) != text)
        {
            return Tags.Other;
        }

        // Several threads may pass the check above at once.
        if (Interlocked.Increment(ref _count) > MaximumCount || !_values.TryAdd(text, text))
        {
            Interlocked.Decrement(ref _count);
        }

        return Find(text);
    }

    /// <summary>The value for a text, if it has a place already.</summary>
    public string Find(string text) => _values.GetValueOrDefault(text, Tags.Other);
}
