namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>Sizes in the names of benchmarks.</summary>
internal static class ByteSize
{
    /// <summary>A size for people, such as <c>64KiB</c>.</summary>
    public static string Name(long size) => size switch
    {
        >= 1 << 30 => $"{size >> 30}GiB",
        >= 1 << 20 => $"{size >> 20}MiB",
        >= 1 << 10 => $"{size >> 10}KiB",
        _ => $"{size}B",
    };
}
