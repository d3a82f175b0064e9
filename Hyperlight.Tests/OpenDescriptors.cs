namespace Hyperlight.Tests;

/// <summary>What this process has open below a directory, according to /proc. Other tests that run meanwhile do not matter.</summary>
internal static class OpenDescriptors
{
    public static List<string> Below(string directory) =>
        [.. Directory.GetFiles("/proc/self/fd").Select(TargetOf).OfType<string>().Where(target => target.StartsWith(directory, StringComparison.Ordinal))];

    /// <summary>What a descriptor is open on; null for one that is closed by now.</summary>
    private static string? TargetOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
