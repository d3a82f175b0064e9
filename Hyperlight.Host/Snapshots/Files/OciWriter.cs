using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hyperlight.Abstractions;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Writes into a directory in the OCI image layout, one process at a time. Every file is written beside its place, flushed,
/// and renamed into it; the index comes last. So whoever reads meanwhile, or after this process died in the middle, finds
/// what was there before or what is there afterwards.
/// </summary>
internal sealed class OciWriter : IDisposable
{
    private const string LockFile = ".hyperlight.lock";
    private const string TemporaryEnding = ".hyperlight.tmp";
    private const int ChunkSize = 1 << 17;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly OciDirectory _directory;
    private readonly FileStream _lock;

    private OciWriter(OciDirectory directory, FileStream @lock)
    {
        _directory = directory;
        _lock = @lock;
    }

    /// <summary>Waits until no other process or thread writes into the directory, and removes what one that died left behind.</summary>
    /// <param name="directory">The directory, which exists.</param>
    /// <exception cref="IOException">It cannot be written, or someone else has been writing for a minute.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public static OciWriter Open(OciDirectory directory)
    {
        var writer = new OciWriter(directory, Wait(() => OpenLock(directory.Path, FileMode.OpenOrCreate), IsLocked));
        try
        {
            Directory.CreateDirectory(directory.BlobDirectory);
            writer.RemoveTemporaryFiles();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    /// <summary>Whether someone writes into a directory now. One that cannot be looked into is taken for used.</summary>
    public static bool IsOpen(string path)
    {
        try
        {
            OpenLock(path, FileMode.Open).Dispose();
            return false;
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>Whether a directory holds nothing but what this class puts there before the marker.</summary>
    public static bool IsEmptyOrUnfinished(string path) => Directory.EnumerateFileSystemEntries(path)
        .Select(static entry => Path.GetFileName(entry))
        .All(static name => name is LockFile or OciNames.BlobDirectory || name.EndsWith(TemporaryEnding, StringComparison.Ordinal));

    /// <summary>Writes a document as a blob.</summary>
    public OciDescriptor WriteDocument<T>(T document, JsonTypeInfo<T> type, string mediaType)
    {
        byte[] content = Serialize(document, type, mediaType);
        OciDigest digest = OciDigest.Of(content);
        Replace(_directory.BlobFile(digest), content);
        return new OciDescriptor(mediaType, digest.ToString(), content.Length);
    }

    /// <summary>Writes a region, and bytes behind it, as a blob. The region is not held in memory a second time.</summary>
    public OciDescriptor WriteMemory(IMemoryRegion region, ReadOnlySpan<byte> tail, string mediaType)
    {
        string temporary = Path.Combine(_directory.BlobDirectory, "memory" + TemporaryEnding);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size;
        using (FileStream file = Create(temporary))
        {
            var buffer = new byte[nuint.Min(region.Size, ChunkSize)];
            for (nuint offset = 0; offset < region.Size; offset += (nuint)buffer.Length)
            {
                Span<byte> chunk = buffer.AsSpan(0, (int)nuint.Min(region.Size - offset, (nuint)buffer.Length));
                region.Read(offset, chunk);
                hash.AppendData(chunk);
                file.Write(chunk);
            }

            hash.AppendData(tail);
            file.Write(tail);
            size = file.Length;
            file.Flush(flushToDisk: true);
        }

        OciDigest digest = OciDigest.FromHash(hash.GetCurrentHash());
        Place(temporary, _directory.BlobFile(digest));
        return new OciDescriptor(mediaType, digest.ToString(), size);
    }

    /// <summary>Writes the marker, if it is not there yet.</summary>
    public void WriteMarker()
    {
        if (!File.Exists(_directory.LayoutFile))
        {
            Replace(
                _directory.LayoutFile,
                Serialize(new OciLayoutMarker(OciNames.LayoutVersion), ReadableOciJson.Instance.OciLayoutMarker, OciNames.LayoutFile));
        }
    }

    /// <summary>Writes the index, and with it everything that it names.</summary>
    public void WriteIndex(OciIndex index) =>
        Replace(_directory.IndexFile, Serialize(index, ReadableOciJson.Instance.OciIndex, OciNames.IndexFile));

    /// <summary>Notes blobs that are to go once the index does not name them any more.</summary>
    public void NoteGarbage(IReadOnlyList<OciDescriptor> replaced)
    {
        if (replaced.Count > 0)
        {
            Replace(_directory.GarbageFile, Encoding.UTF8.GetBytes(OciGarbage.Add(_directory, replaced)));
        }
    }

    /// <summary>Removes blobs that were noted, have been out of use for a while, and still are.</summary>
    public void RemoveGarbage(TimeSpan grace)
    {
        if (OciGarbage.Remove(_directory, grace) is { } left)
        {
            Replace(_directory.GarbageFile, Encoding.UTF8.GetBytes(left));
        }
    }

    /// <summary>Lets others write.</summary>
    public void Dispose() => _lock.Dispose();

    private static FileStream OpenLock(string path, FileMode mode) =>
        new(Path.Combine(path, LockFile), mode, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);

    // EAGAIN of Linux and of macOS, ERROR_SHARING_VIOLATION of Windows.
    private static bool IsLocked(Exception exception) => exception is IOException
        && (OperatingSystem.IsWindows() ? (exception.HResult & 0xFFFF) == 32 : exception.HResult is 11 or 35);

    /// <summary>Whether a file could not be replaced because someone may be reading it, which only Windows minds.</summary>
    private static bool IsRead(Exception exception) =>
        OperatingSystem.IsWindows() && exception is IOException or UnauthorizedAccessException;

    /// <summary>Tries again until what is in the way has gone, or it has been too long.</summary>
    private static T Wait<T>(Func<T> access, Func<Exception, bool> isInTheWay)
    {
        long start = Environment.TickCount64;
        while (true)
        {
            try
            {
                return access();
            }
            catch (Exception exception) when (
                isInTheWay(exception) && Environment.TickCount64 - start < LongestWait.TotalMilliseconds)
            {
                Thread.Sleep(Pause);
            }
        }
    }

    private static FileStream Create(string file) => new(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);

    private static void Replace(string file, byte[] content)
    {
        string temporary = file + TemporaryEnding;
        using (FileStream stream = Create(temporary))
        {
            stream.Write(content);
            stream.Flush(flushToDisk: true);
        }

        Place(temporary, file);
    }

    /// <summary>Renames a file over another. Where that has to wait until nobody reads the other one, it does.</summary>
    private static void Place(string temporary, string file) => Wait(
        () =>
        {
            File.Move(temporary, file, overwrite: true);
            return file;
        },
        IsRead);

    /// <summary>A document's bytes, which must not be more than a reader takes.</summary>
    private byte[] Serialize<T>(T document, JsonTypeInfo<T> type, string what)
    {
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(document, type);
        return content.Length <= OciDirectory.LargestDocument
            ? content
            : throw _directory.Error(
                SnapshotFileProblem.TooLarge,
                $"its {what} would have {content.Length} bytes, and at most {OciDirectory.LargestDocument} are read. Use another directory.");
    }

    private void RemoveTemporaryFiles()
    {
        foreach (string directory in new[] { _directory.Path, _directory.BlobDirectory })
        {
            foreach (string file in Directory.EnumerateFiles(directory, "*" + TemporaryEnding))
            {
                File.Delete(file);
            }
        }
    }
}
