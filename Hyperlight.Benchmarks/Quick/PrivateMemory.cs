using System.Globalization;

namespace Hyperlight.Benchmarks.Quick;

/// <summary>Memory that this process does not share with other processes.</summary>
internal static class PrivateMemory
{
    private const string Source = "/proc/self/smaps_rollup";
    private const string Prefix = "Private_";
    private const string Unit = " kB";

    /// <summary>Whether this system tells.</summary>
    public static bool IsKnown => File.Exists(Source);

    /// <summary>Bytes: the sum of the <c>Private_*</c> lines of <c>/proc/self/smaps_rollup</c>.</summary>
    public static long Read() => File.ReadLines(Source)
        .Where(line => line.StartsWith(Prefix, StringComparison.Ordinal))
        .Sum(line => 1024 * long.Parse(
            line.AsSpan(line.IndexOf(':', StringComparison.Ordinal) + 1).TrimEnd(Unit).Trim(), CultureInfo.InvariantCulture));
}
