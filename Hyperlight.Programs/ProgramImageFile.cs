namespace Hyperlight.Programs;

/// <summary>An image that was built: a file of the cache directory. Immutable.</summary>
public sealed class ProgramImageFile
{
    internal ProgramImageFile(string path, string digest, long size, int entries, bool wasCached, IReadOnlyList<string> leftOut)
    {
        Path = path;
        Digest = digest;
        Size = size;
        Entries = entries;
        WasCached = wasCached;
        LeftOut = leftOut;
    }

    /// <summary>The path of the file. It can be deleted when no runner uses it; see <see cref="ProgramImageCache"/>.</summary>
    public string Path { get; }

    /// <summary>What identifies the content, in hexadecimal. Images of the same files have the same digest.</summary>
    public string Digest { get; }

    /// <summary>The size in bytes.</summary>
    public long Size { get; }

    /// <summary>The number of directories, files and symbolic links. Files with several names count once.</summary>
    public int Entries { get; }

    /// <summary>Whether the file was in the cache already.</summary>
    public bool WasCached { get; }

    /// <summary>What <see cref="ProgramImageOptions.LeaveOutSpecialFiles"/> has left out: a path, a colon and what it is.</summary>
    public IReadOnlyList<string> LeftOut { get; }
}
