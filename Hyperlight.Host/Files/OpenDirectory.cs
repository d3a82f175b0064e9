using System.Buffers;
using Hyperlight.Host.Files.Interop;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>
/// An open directory that others may write to. Everything is named relative to it by a single name. No operation follows a
/// symbolic link, waits for another process, or opens anything but regular files and directories. On Linux, whatever is
/// planted or exchanged meanwhile, operations stay in the directory that was opened; elsewhere a link is looked for before a
/// file is used.
/// </summary>
internal abstract class OpenDirectory : IDisposable
{
    /// <summary>Values of <see cref="OtherWriters"/>.</summary>
    protected const string WritableByOthers = "other users may write to it";
    protected const string OfAnotherUser = "it belongs to another user";

    private static readonly SearchValues<char> RandomCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz012345");

    /// <summary>Opens a directory. Links in its path are followed: the path is the application's.</summary>
    /// <returns>The directory, or <see langword="null"/> if there is nothing at the path.</returns>
    /// <exception cref="IOException">It is something else than a directory, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be opened.</exception>
    public static OpenDirectory? TryOpen(string path) =>
        Platform.IsSupported ? LinuxDirectory.TryOpen(path) : PortableDirectory.TryOpen(path);

    /// <summary>
    /// Why others than the process's user and the superuser decide what is in the directory, as a clause about it; <see langword="null"/> if they
    /// do not, and on Windows, where the directory of a user is that user's alone.
    /// </summary>
    /// <exception cref="IOException">The file system does not say.</exception>
    public abstract string? OtherWriters { get; }

    /// <summary>An unpredictable name for a file that is about to be created.</summary>
    public static string RandomName() => Path.GetRandomFileName();

    /// <summary>Whether a name has the form of those that <see cref="RandomName"/> gives: eight characters, a dot, and three.</summary>
    public static bool IsRandomName(ReadOnlySpan<char> name) =>
        name.Length == 12 && name[8] == '.' && !name[..8].ContainsAnyExcept(RandomCharacters) && !name[9..].ContainsAnyExcept(RandomCharacters);

    /// <summary>Opens a directory in this one.</summary>
    /// <returns>The directory, or <see langword="null"/> if there is nothing of that name.</returns>
    public abstract OpenDirectory? TryOpenDirectory(string name);

    /// <summary>Creates a directory in this one, for the process's user alone where the platform has modes.</summary>
    /// <returns>Whether it was created; <see langword="false"/> if something of that name is there.</returns>
    public abstract bool CreateDirectory(string name);

    /// <summary>Opens a regular file for reading.</summary>
    /// <returns>The file, or <see langword="null"/> if there is nothing of that name.</returns>
    public abstract SafeFileHandle? TryOpenFile(string name);

    /// <summary>Creates a file for writing, which must not exist, for the process's user alone where the platform has modes.</summary>
    public abstract SafeFileHandle CreateFile(string name);

    /// <summary>Opens a regular file that this process alone has open so.</summary>
    /// <param name="name">The file.</param>
    /// <param name="create">Whether to create it if it is not there.</param>
    /// <param name="file">The file, or <see langword="null"/> if there is none or it is in use.</param>
    public abstract LockResult TryLock(string name, bool create, out SafeFileHandle? file);

    /// <summary>Gives a file or a directory another name. A file of that name is replaced, a link itself too.</summary>
    public abstract void Rename(string name, string newName);

    /// <summary>Removes a file, or a link itself. One that is not there is removed already.</summary>
    public abstract void DeleteFile(string name);

    /// <summary>Removes an empty directory.</summary>
    public abstract void DeleteDirectory(string name);

    /// <summary>The names of everything in the directory.</summary>
    public abstract IReadOnlyList<string> Names();

    /// <summary>Opens a directory in this one, and creates it if it is not there.</summary>
    public OpenDirectory OpenOrCreateDirectory(string name)
    {
        CreateDirectory(name);
        return TryOpenDirectory(name) ?? throw new DirectoryNotFoundException($"The directory '{name}' was removed as it was being opened.");
    }

    /// <inheritdoc/>
    public abstract void Dispose();
}
