namespace Hyperlight.Samples.RunProgram;

/// <summary>Where this machine's dynamic linker looks for libraries.</summary>
internal static class LibraryDirectories
{
    private const string Configuration = "/etc/ld.so.conf";
    private const string ConfigurationDirectory = "/etc/ld.so.conf.d";

    private static readonly string[] Defaults =
        ["/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"];

    private static readonly Lazy<IReadOnlyList<string>> All = new(static () => [.. Configured(), .. Defaults]);

    /// <summary>The path of a library, or <see langword="null"/>.</summary>
    public static string? Find(string name, IEnumerable<string> before) =>
        name.StartsWith('/')
            ? name
            : before.Concat(All.Value).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);

    private static IEnumerable<string> Configured()
    {
        string[] more = Directory.Exists(ConfigurationDirectory) ? Directory.GetFiles(ConfigurationDirectory, "*.conf") : [];
        return more.Append(Configuration).Where(File.Exists).SelectMany(File.ReadLines).Select(static line => line.Trim())
            .Where(static line => line.StartsWith('/'));
    }
}
