namespace Hyperlight.Samples.RunProgram;

/// <summary>What programs read that their executables do not name: the modules of interpreters, and the commands of shells.</summary>
internal static class KnownPrograms
{
    private static readonly string[] CommandDirectories = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];

    private static readonly (string Name, string[] Directories)[] Interpreters =
    [
        ("python3", ["/usr/lib/python3", "/usr/lib/python3.*"]),
        ("perl", ["/etc/perl", "/usr/share/perl*", "/usr/lib/x86_64-linux-gnu/perl*", "/usr/local/share/perl"]),
        ("lua", ["/usr/share/lua", "/usr/lib/x86_64-linux-gnu/lua"]),
    ];

    private static readonly string[] Shells = ["sh", "dash", "bash", "env", "xargs"];

    /// <summary>Files and directories that a program is likely to need.</summary>
    public static IEnumerable<string> FilesOf(string executable, IEnumerable<string> arguments)
    {
        string name = Path.GetFileName(executable);
        IEnumerable<string> directories = Interpreters.Where(interpreter => name.StartsWith(interpreter.Name, StringComparison.Ordinal))
            .SelectMany(static interpreter => interpreter.Directories).SelectMany(Expand);
        return Shells.Contains(name) ? directories.Concat(CommandsIn(arguments)) : directories;
    }

    /// <summary>The executables whose names are words of a script.</summary>
    private static IEnumerable<string> CommandsIn(IEnumerable<string> arguments) => arguments
        .SelectMany(static argument => argument.Split([' ', '\t', '\n', '|', ';', '&', '(', ')', '`', '"', '\'', '$']))
        .Where(static word => word.Length > 0 && !word.StartsWith('-') && !word.Contains('/'))
        .Distinct()
        .Select(static word => CommandDirectories.Select(directory => Path.Combine(directory, word)).FirstOrDefault(File.Exists))
        .OfType<string>();

    private static IEnumerable<string> Expand(string path)
    {
        string parent = Path.GetDirectoryName(path)!;
        return Directory.Exists(parent) ? Directory.GetDirectories(parent, Path.GetFileName(path)) : [];
    }
}
