namespace Hyperlight.Extensions.AI;

/// <summary>The paths of code and files in the file system of the program.</summary>
internal static class CodePaths
{
    /// <exception cref="ArgumentException">The path is not absolute, or has empty names, <c>.</c> or <c>..</c>.</exception>
    public static void CheckAbsolute(string path, string option)
    {
        if (!path.StartsWith('/') || !IsRelative(path[1..]))
        {
            throw new ArgumentException($"{option}: '{path}' is not an absolute path without '.' and '..'.");
        }
    }

    /// <summary>Whether a path can be that of a file in a directory.</summary>
    public static bool IsRelative(string path) =>
        !path.Contains('\0', StringComparison.Ordinal) && path.Split('/').All(static name => name is not ("" or "." or ".."));
}
