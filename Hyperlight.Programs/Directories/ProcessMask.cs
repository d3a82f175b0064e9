namespace Hyperlight.Programs.Directories;

/// <summary>The permissions that this process gives to no file that it creates (umask). Programs give no more to files that exist.</summary>
internal static class ProcessMask
{
    private const string Prefix = "Umask:";
    private const int GroupAndOthers = 0x3F; // 077
    private const int OctalBase = 8;

    /// <summary>The mask; where the system does not state it, that of a careful process.</summary>
    public static int Value
    {
        get
        {
            // To ask the C library sets it too, for all threads.
            string? line = File.ReadLines("/proc/self/status").FirstOrDefault(static line => line.StartsWith(Prefix, StringComparison.Ordinal));
            return line is null ? GroupAndOthers : Convert.ToInt32(line[Prefix.Length..].Trim(), OctalBase);
        }
    }
}
