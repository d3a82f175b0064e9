using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hyperlight.Abstractions;
using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Writes into a directory in the OCI image layout, one process at a time. Every file is created exclusively under a name
/// that cannot be predicted, flushed, and renamed into its place; the index comes last. So a reader, also after
/// this process died in the middle, finds either the old or the new content, and whatever others have put
/// into the directory is not written through.
/// </summary>
internal sealed class OciWriter : IDisposable
{
    private const int ChunkSize = 1 << 17;

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly OciDirectory _directory;
    private readonly SafeFileHandle _lock;
    private readonly OpenDirectory _blobs;

    private OciWriter(OciDirectory directory, SafeFileHandle @lock, OpenDirectory blobs)
    {
        _directory = directory;
        _lock = @lock;
        _blobs = blobs;
    }

    /// <summary>Waits until no other process or thread writes into the directory, and removes what one that died left behind.</summary>
    /// <param name="directory">The directory.</param>
    /// <exception cref="IOException">It cannot be written, or someone else has been writing for a minute.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be written.</exception>
    public static OciWriter Open(OciDirectory directory)
    {
        SafeFileHandle @lock = Lock(directory.Root);
        try
        {
            OpenDirectory blobs = directory.CreateBlobs();
            RemoveTemporaryFiles(directory.Root);
            RemoveTemporaryFiles(blobs);
            return new OciWriter(directory, @lock, blobs);
        }
        catch
        {
            @lock.Dispose();
            throw;
        }
    }

    /// <summary>Writes a document as a blob.</summary>
    public OciDescriptor WriteDocument<T>(T document, JsonTypeInfo<T> type, string mediaType)
    {
        byte[] content = Serialize(document, type, mediaType);
        OciDigest digest = OciDigest.Of(content);
        Replace(_blobs, digest.Hex, content);
        return new OciDescriptor(mediaType, digest.ToString(), content.Length);
    }

    /// <summary>Writes a region, and bytes behind it, as a blob. The region is not held in memory a second time.</summary>
    public OciDescriptor WriteMemory(IMemoryRegion region, byte[] tail, string mediaType)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long size = 0;
        string temporary = Create(_blobs, file =>
        {
            var buffer = new byte[nuint.Min(region.Size, ChunkSize)];
            for (nuint offset = 0; offset < region.Size; offset += (nuint)buffer.Length)
            {
                Span<byte> chunk = buffer.AsSpan(0, (int)nuint.Min(region.Size - offset, (nuint)buffer.Length));
                region.Read(offset, chunk);
                hash.AppendData(chunk);
                RandomAccess.Write(file, chunk, (long)offset);
            }

            hash.AppendData(tail);
            RandomAccess.Write(file, tail, (long)region.Size);
            size = (long)region.Size + tail.Length;
        });
        OciDigest digest = OciDigest.FromHash(hash.GetCurrentHash());
        Place(_blobs, temporary, digest.Hex);
        return new OciDescriptor(mediaType, digest.ToString(), size);
    }

    /// <summary>Writes the marker, if it is not there yet.</summary>
    public void WriteMarker()
    {
        if (!_directory.HasMarker())
        {
            Replace(
                _directory.Root,
                OciNames.LayoutFile,
                Serialize(new OciLayoutMarker(OciNames.LayoutVersion), ReadableOciJson.Instance.OciLayoutMarker, OciNames.LayoutFile));
        }
    }

    /// <summary>Writes the index, and with it everything that it names.</summary>
    public void WriteIndex(OciIndex index) =>
        Replace(_directory.Root, OciNames.IndexFile, Serialize(index, ReadableOciJson.Instance.OciIndex, OciNames.IndexFile));

    /// <summary>Notes blobs that are to go once the index does not name them any more.</summary>
    public void NoteGarbage(IReadOnlyList<OciDescriptor> replaced)
    {
        if (replaced.Count > 0)
        {
            Replace(_directory.Root, OciNames.GarbageFile, Encoding.UTF8.GetBytes(OciGarbage.Add(_directory, replaced)));
        }
    }

    /// <summary>Removes blobs that were noted, have been out of use for a while, and still are.</summary>
    public void RemoveGarbage(TimeSpan grace)
    {
        if (OciGarbage.Remove(_directory, grace) is { } left)
        {
            Replace(_directory.Root, OciNames.GarbageFile, Encoding.UTF8.GetBytes(left));
        }
    }

    /// <summary>Lets others write.</summary>
    public void Dispose() => _lock.Dispose();

    private static SafeFileHandle Lock(OpenDirectory directory)
    {
        SafeFileHandle? file = null;
        if (!WaitUntil(() => directory.TryLock(OciNames.LockFile, create: true, out file) != LockResult.InUse) || file is null)
        {
            throw new IOException("Another process or thread has been saving to it for a minute, or it was removed.");
        }

        return file;
    }

    /// <summary>Tries again until something succeeds.</summary>
    /// <returns>Whether it did within a minute.</returns>
    private static bool WaitUntil(Func<bool> attempt)
    {
        long start = Environment.TickCount64;
        while (!attempt())
        {
            if (Environment.TickCount64 - start > LongestWait.TotalMilliseconds)
            {
                return false;
            }

            Thread.Sleep(Pause);
        }

        return true;
    }

    private static void Replace(OpenDirectory directory, string name, byte[] content) =>
        Place(directory, Create(directory, file => RandomAccess.Write(file, content, 0)), name);

    /// <summary>Creates a file, has it written, and flushes it.</summary>
    /// <returns>Its name, until it is put into its place.</returns>
    private static string Create(OpenDirectory directory, Action<SafeFileHandle> write)
    {
        string temporary = OpenDirectory.RandomName() + OciNames.TemporaryEnding;
        using SafeFileHandle file = directory.CreateFile(temporary);
        try
        {
            write(file);
            RandomAccess.FlushToDisk(file);
            return temporary;
        }
        catch
        {
            file.Dispose();
            TryDelete(directory, temporary);
            throw;
        }
    }

    /// <summary>Renames a file over another. Where that has to wait until nobody reads the other one, it does.</summary>
    private static void Place(OpenDirectory directory, string temporary, string name)
    {
        Exception? last = null;
        bool TryRename()
        {
            try
            {
                directory.Rename(temporary, name);
                return true;
            }
            catch (Exception exception) when (OperatingSystem.IsWindows() && exception is IOException or UnauthorizedAccessException)
            {
                // Someone may be reading it.
                last = exception;
                return false;
            }
        }

        try
        {
            if (!WaitUntil(TryRename))
            {
                throw new IOException($"'{name}' cannot be replaced.", last);
            }
        }
        catch
        {
            TryDelete(directory, temporary);
            throw;
        }
    }

    private static void RemoveTemporaryFiles(OpenDirectory directory)
    {
        foreach (string name in directory.Names().Where(WrittenFiles.IsTemporary))
        {
            TryDelete(directory, name);
        }
    }

    /// <summary>Removes a file that takes only space: no name is used twice. What cannot be removed stays until the next time.</summary>
    private static void TryDelete(OpenDirectory directory, string name)
    {
        try
        {
            directory.DeleteFile(name);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What the caller has to say matters more.
        }
    }

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
}
