namespace Hyperlight.Host.DependencyInjection;

/// <summary>What shows that a file has changed: time of modification and size, those of the file that symbolic links lead to.</summary>
internal readonly record struct FileStamp(DateTime LastWriteTime, long Size)
{
    /// <summary>The stamp of a file; <see langword="null"/> if there is none, or it cannot be accessed.</summary>
    public static FileStamp? Of(string path)
    {
        try
        {
            var file = new FileInfo(path);
            FileSystemInfo? target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true);
            return target is FileInfo { Exists: true } found ? new FileStamp(found.LastWriteTimeUtc, found.Length) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
