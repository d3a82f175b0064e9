using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Files;

/// <summary>
/// A directory by its path, with what .NET offers on every platform. Files are created exclusively, which never follows a
/// link. What is opened is looked at before: a link that is planted in between is followed.
/// </summary>
internal sealed class PortableDirectory : OpenDirectory
{
    private const FileShare ShareAll = FileShare.ReadWrite | FileShare.Delete;

    /// <summary>What is saved is the memory of a guest.</summary>
    private const UnixFileMode FileModeOfOwner = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode ModeForOthers = UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;

    private readonly string _path;

    private PortableDirectory(string path) => _path = path;

    public override string? OtherWriters =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(_path) & ModeForOthers) != 0 ? WritableByOthers : null;

    public static new PortableDirectory? TryOpen(string path)
    {
        if (File.Exists(path))
        {
            throw new IOException($"'{path}' is a file, not a directory.");
        }

        return Directory.Exists(path) ? new PortableDirectory(path) : null;
    }

    public override OpenDirectory? TryOpenDirectory(string name)
    {
        CheckNoLink(name);
        return TryOpen(PathOf(name));
    }

    public override bool CreateDirectory(string name)
    {
        string path = PathOf(name);
        if (Path.Exists(path) || new FileInfo(path).LinkTarget is not null)
        {
            return false;
        }

        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, FileModeOfOwner | UnixFileMode.UserExecute);
        }

        return true;
    }

    public override SafeFileHandle? TryOpenFile(string name)
    {
        try
        {
            return Open(name, FileMode.Open, FileAccess.Read, ShareAll);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public override SafeFileHandle CreateFile(string name) => Open(name, FileMode.CreateNew, FileAccess.Write, FileShare.None);

    public override LockResult TryLock(string name, bool create, out SafeFileHandle? file)
    {
        file = null;
        try
        {
            file = Open(name, create ? FileMode.OpenOrCreate : FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return LockResult.Locked;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return LockResult.Missing;
        }
        catch (IOException exception) when (IsInUse(exception))
        {
            return LockResult.InUse;
        }
    }

    public override void Rename(string name, string newName)
    {
        if (Directory.Exists(PathOf(name)))
        {
            Directory.Move(PathOf(name), PathOf(newName));
        }
        else
        {
            File.Move(PathOf(name), PathOf(newName), overwrite: true);
        }
    }

    public override void DeleteFile(string name) => File.Delete(PathOf(name));

    public override void DeleteDirectory(string name) => Directory.Delete(PathOf(name));

    public override IReadOnlyList<string> Names() => [.. Directory.EnumerateFileSystemEntries(_path).Select(static p => Path.GetFileName(p))];

    public override void Dispose()
    {
        // A path holds nothing.
    }

    // ERROR_SHARING_VIOLATION of Windows, EAGAIN of Linux and of the BSD family.
    private static bool IsInUse(IOException exception) =>
        OperatingSystem.IsWindows() ? (exception.HResult & 0xFFFF) == 32 : exception.HResult is 11 or 35;

    private SafeFileHandle Open(string name, FileMode mode, FileAccess access, FileShare share)
    {
        CheckNoLink(name);
        string path = PathOf(name);
        bool isNew = mode == FileMode.CreateNew || (mode == FileMode.OpenOrCreate && !File.Exists(path));
        SafeFileHandle file = File.OpenHandle(path, mode, access, share);
        if (isNew && !OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, FileModeOfOwner);
        }

        return file;
    }

    private void CheckNoLink(string name)
    {
        // Of a link itself, whether or not it leads anywhere. A pipe is none of these.
        var file = new FileInfo(PathOf(name));
        if (file.LinkTarget is not null)
        {
            throw new IOException($"'{name}' is a symbolic link, and links in this directory are not followed.");
        }

        const FileAttributes other = FileAttributes.Device | FileAttributes.ReparsePoint;
        if (file.Exists && (file.Attributes & other) != 0)
        {
            throw new IOException($"'{name}' is not a regular file.");
        }
    }

    private string PathOf(string name) => Path.Combine(_path, name);
}
