using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Directories;

/// <summary>
/// Directories of the host, by the paths at which a program finds them. A path of the program is split into names, and each is opened
/// relative to the directory before, without following a link: nothing outside of the directories is reached, whatever is exchanged
/// meanwhile.
/// </summary>
internal sealed class DirectoryMounts : IDisposable
{
    private readonly List<(string Path, LinuxDirectory Directory)> _mounts = [];

    /// <summary>Opens the directories.</summary>
    /// <param name="directories">Their paths on the host, by their paths for the program.</param>
    /// <exception cref="DirectoryNotFoundException">One of them does not exist.</exception>
    /// <exception cref="IOException">One of them cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">One of them may not be opened.</exception>
    public DirectoryMounts(IReadOnlyDictionary<string, string> directories)
    {
        try
        {
            foreach ((string path, string hostPath) in directories)
            {
                _mounts.Add((path, LinuxDirectory.TryOpen(hostPath) ?? throw new DirectoryNotFoundException($"There is no directory '{hostPath}'.")));
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Whether a name can be that of an entry of a directory.</summary>
    public static bool IsName(string name) =>
        name is not ("" or "." or "..") && !name.Contains('/', StringComparison.Ordinal) && !name.Contains('\0', StringComparison.Ordinal);

    /// <summary>Opens a directory.</summary>
    /// <returns>The directory, or <see langword="null"/> if there is nothing at the path.</returns>
    /// <exception cref="IOException">It is something else than a directory.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public OpenedDirectory? TryOpen(string path)
    {
        foreach ((string mount, LinuxDirectory directory) in _mounts)
        {
            if (path == mount)
            {
                return new OpenedDirectory(directory, isOwned: false);
            }

            if (RunFiles.IsIn(path, mount))
            {
                return TryOpenBelow(directory, path[(mount.Length + 1)..].Split('/'));
            }
        }

        return null;
    }

    /// <summary>Opens a regular file.</summary>
    /// <returns>The file, or <see langword="null"/> if there is nothing at the path.</returns>
    /// <exception cref="IOException">It is something else than a regular file.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public SafeFileHandle? TryOpenFile(string path)
    {
        int slash = path.LastIndexOf('/');
        string name = path[(slash + 1)..];
        using OpenedDirectory? directory = slash > 0 && IsName(name) ? TryOpen(path[..slash]) : null;
        return directory?.Directory.TryOpenFile(name);
    }

    public void Dispose() => _mounts.ForEach(static mount => mount.Directory.Dispose());

    private static OpenedDirectory? TryOpenBelow(LinuxDirectory directory, string[] names)
    {
        if (!Array.TrueForAll(names, IsName))
        {
            return null;
        }

        var current = new OpenedDirectory(directory, isOwned: false);
        foreach (string name in names)
        {
            using OpenedDirectory parent = current;
            if (parent.Directory.TryOpenDirectory(name) is not LinuxDirectory next)
            {
                return null;
            }

            current = new OpenedDirectory(next, isOwned: true);
        }

        return current;
    }
}
