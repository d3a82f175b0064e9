namespace Hyperlight.Samples.RunProgram;

/// <summary>Finds the executable of a command as a shell does.</summary>
internal static class ExecutableSearch
{
    /// <summary>The path of a command of this machine: a name without a slash is looked up in directories.</summary>
    /// <param name="command">A name or a path.</param>
    /// <param name="searchPath">The directories, as those of the variable PATH. An empty one is the current directory.</param>
    /// <returns><see langword="null"/> if there is none.</returns>
    public static string? Find(string command, string? searchPath)
    {
        if (command.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal))
        {
            return File.Exists(command) ? Path.GetFullPath(command) : null;
        }

        return command.Length == 0 || searchPath is null
            ? null
            : searchPath.Split(Path.PathSeparator).Select(directory => Path.GetFullPath(Path.Combine(directory, command))).FirstOrDefault(IsExecutable);
    }

    /// <summary>Windows has no modes.</summary>
    private static bool IsExecutable(string path)
    {
        const UnixFileMode execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & execute) != 0);
    }
}
