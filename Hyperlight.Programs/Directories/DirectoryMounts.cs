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
    private readonly List<DirectoryMount> _mounts = [];

    /// <summary>Opens the directories.</summary>
    /// <param name="directories">By their paths for the program.</param>
    /// <exception cref="DirectoryNotFoundException">One of them does not exist.</exception>
    /// <exception cref="IOException">One of them cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">One of them may not be opened.</exception>
    public DirectoryMounts(IReadOnlyDictionary<string, ProgramDirectory> directories)
    {
        if (directories.Values.Any(static directory => directory.IsWritable))
        {
            FileSizeSignal.Ignore();
        }

        try
        {
            foreach ((string path, ProgramDirectory options) in directories)
            {
                LinuxDirectory directory = LinuxDirectory.TryOpen(options.Path)
                    ?? throw new DirectoryNotFoundException($"There is no directory '{options.Path}'.");
                _mounts.Add(new DirectoryMount(path, directory, options));
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
        if (Find(path) is not { } mount)
        {
            return null;
        }

        return path == mount.Path
            ? new OpenedDirectory(mount.Directory, isOwned: false)
            : TryOpenBelow(mount.Directory, path[(mount.Path.Length + 1)..].Split('/'));
    }

    /// <summary>The directory to which a path belongs, or <see langword="null"/>.</summary>
    public DirectoryMount? Find(string path) => _mounts.Find(mount => path == mount.Path || RunFiles.IsIn(path, mount.Path));

    /// <summary>Opens the directory that has a name.</summary>
    /// <param name="path">The path of the name, which is returned separately.</param>
    /// <param name="name">The name.</param>
    /// <returns>The directory, or <see langword="null"/> if the path is that of no name, or if there is nothing at the path of the directory.</returns>
    /// <exception cref="IOException">What should be a directory is something else.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public OpenedDirectory? TryOpenParent(string path, out string name)
    {
        int slash = path.LastIndexOf('/');
        name = path[(slash + 1)..];
        return slash > 0 && IsName(name) ? TryOpen(path[..slash]) : null;
    }

    /// <summary>Opens a regular file.</summary>
    /// <returns>The file, or <see langword="null"/> if there is nothing at the path.</returns>
    /// <exception cref="IOException">It is something else than a regular file.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public SafeFileHandle? TryOpenFile(string path)
    {
        using OpenedDirectory? directory = TryOpenParent(path, out string name);
        if (directory is not { Directory: var parent } || parent.TryGetStatus(name) is not { } status)
        {
            return null;
        }

        // To open a device or a pipe can have an effect: it is looked at before. What was opened is looked at too.
        return status.IsRegular ? parent.TryOpenFile(name) : throw new IOException($"'{name}' is not a regular file.");
    }

    /// <summary>Whether an open file is the one at a path.</summary>
    public bool IsAt(string path, SafeFileHandle file)
    {
        using OpenedDirectory? directory = TryOpenParent(path, out string name);
        return directory?.Directory.IsAt(name, file) ?? false;
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
