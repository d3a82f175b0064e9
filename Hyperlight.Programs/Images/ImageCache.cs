using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Programs.Images;

/// <summary>
/// The directory of image files. A file has its digest as its name. It is written under another name and then renamed, so that
/// several processes can build the same image at once.
/// </summary>
internal sealed class ImageCache
{
    private const string ImageExtension = ".image";
    private const string TemporaryExtension = ".tmp";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>What was left behind by a process that ended meanwhile is older, and not in use.</summary>
    private static readonly TimeSpan Abandoned = TimeSpan.FromHours(1);

    private readonly string _directory;

    private ImageCache(string directory) => _directory = directory;

    /// <summary>Opens a directory, and creates it for the process's user alone if it is not there.</summary>
    /// <exception cref="IOException">It cannot be created, belongs to another user, or others may write to it.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be created.</exception>
    public static ImageCache Open(string? directory)
    {
        directory = Path.GetFullPath(directory ?? DefaultDirectory());
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(directory);
        }
        else
        {
            Directory.CreateDirectory(directory, OwnerOnly);
        }

        using OpenDirectory opened = OpenDirectory.TryOpen(directory) ?? throw new DirectoryNotFoundException($"The directory '{directory}' for images was removed.");
        return opened.OtherWriters is { } others
            ? throw new IOException($"The directory '{directory}' for images is not used: {others}.")
            : new ImageCache(directory);
    }

    /// <summary>The path of an image file.</summary>
    public string PathOf(string digest) => Path.Combine(_directory, digest + ImageExtension);

    /// <summary>Whether a complete image is there.</summary>
    public bool Contains(string digest, long size) => new FileInfo(PathOf(digest)) is { Exists: true } file && file.Length == size;

    /// <summary>States that an image is used now. Its content and its time of modification do not change.</summary>
    public void MarkUsed(string digest)
    {
        try
        {
            File.SetLastAccessTimeUtc(PathOf(digest), DateTime.UtcNow);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The cache is read-only, or the image was just removed, which its user finds out.
        }
    }

    /// <summary>Removes images that are not in use: the old ones, then the oldest ones until the rest is not too large.</summary>
    public ProgramImageCleaning Clean(TimeSpan unusedFor, long mostBytes)
    {
        RemoveAbandoned();
        DateTime now = DateTime.UtcNow;
        FileInfo[] images = [.. new DirectoryInfo(_directory).EnumerateFiles("*" + ImageExtension).OrderBy(static image => image.LastAccessTimeUtc)];
        long kept = images.Sum(static image => image.Length);
        long removed = 0;
        int count = 0;
        foreach (FileInfo image in images)
        {
            long size = image.Length;
            if ((now - image.LastAccessTimeUtc >= unusedFor || kept > mostBytes) && TryRemove(image.FullName))
            {
                kept -= size;
                removed += size;
                count++;
            }
        }

        return new ProgramImageCleaning(count, removed, images.Length - count, kept);
    }

    /// <summary>Creates a file that is removed when it is closed, and that nothing else opens.</summary>
    public SafeFileHandle CreateTemporary() => File.OpenHandle(
        NewTemporaryPath(), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, FileOptions.DeleteOnClose);

    /// <summary>Writes an image file that has its name only when it is complete.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Add(string digest, long size, Action<SafeFileHandle> write)
    {
        RemoveAbandoned();
        string temporary = NewTemporaryPath();
        try
        {
            using (SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None))
            {
                write(file);
                RandomAccess.FlushToDisk(file);
            }

            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(temporary, UnixFileMode.UserRead);
            }

            Publish(temporary, digest, size);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static string DefaultDirectory()
    {
        string? cache = OperatingSystem.IsWindows()
            ? Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData)
            : Environment.GetEnvironmentVariable("XDG_CACHE_HOME");
        if (string.IsNullOrEmpty(cache) && Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home)
        {
            cache = Path.Combine(home, ".cache");
        }

        return Path.IsPathFullyQualified(cache ?? string.Empty)
            ? Path.Combine(cache!, "hyperlight", "images")
            : throw new IOException("The user has no directory for caches; set ProgramImageOptions.CacheDirectory.");
    }

    private void Publish(string temporary, string digest, long size)
    {
        try
        {
            File.Move(temporary, PathOf(digest), overwrite: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException && Contains(digest, size))
        {
            // Windows does not replace a file that is mapped: another process was faster, and its file is the same.
        }
    }

    /// <summary>Removes what processes that were ended have left behind.</summary>
    private void RemoveAbandoned()
    {
        foreach (string path in Directory.EnumerateFiles(_directory, "*" + TemporaryExtension))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(path) < Abandoned)
            {
                continue;
            }

            TryRemove(path);
        }
    }

    /// <summary>Removes a file, unless it is in use or another process removes it.</summary>
    private static bool TryRemove(string path)
    {
        try
        {
            File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.None, FileOptions.DeleteOnClose).Dispose();
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string NewTemporaryPath() => Path.Combine(_directory, Path.GetRandomFileName() + TemporaryExtension);
}
