using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Reads a directory in the OCI image layout. What it holds may come from anywhere, and may change meanwhile: only regular
/// files are opened, documents are bounded before they are read, and every blob is checked against the digest that names it.
/// </summary>
/// <param name="path">The directory, for errors.</param>
/// <param name="root">The open directory; this object owns it.</param>
internal sealed class OciDirectory(string path, OpenDirectory root) : IDisposable
{
    /// <summary>No document of a snapshot comes near this; whatever is larger is something else.</summary>
    public const int LargestDocument = 1 << 20;

    private OpenDirectory? _blobs;

    /// <summary>The directory.</summary>
    public string Path { get; } = path;

    /// <summary>The open directory.</summary>
    public OpenDirectory Root => root;

    /// <summary>How many bytes of documents were read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Opens a directory.</summary>
    /// <returns>The directory, or <see langword="null"/> if there is none.</returns>
    /// <exception cref="SnapshotFileException">The operating system refused, or it is something else than a directory.</exception>
    public static OciDirectory? TryOpen(string path) =>
        Access(path, () => OpenDirectory.TryOpen(path)) is { } root ? new OciDirectory(path, root) : null;

    /// <summary>Does something with files, and turns what the operating system has against it into a typed error.</summary>
    /// <param name="path">The directory, for the error.</param>
    /// <param name="access">What to do.</param>
    /// <exception cref="SnapshotFileException">The operating system refused.</exception>
    public static T Access<T>(string path, Func<T> access)
    {
        try
        {
            return access();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new SnapshotFileException(SnapshotFileProblem.Access, path, exception.Message, exception);
        }
    }

    /// <summary>Checks that nobody decides what is in the directory but the process's user and the superuser.</summary>
    /// <exception cref="SnapshotFileException">Someone else does.</exception>
    public void CheckWriters()
    {
        if (Access(Path, () => root.OtherWriters) is { } others)
        {
            throw Error(
                SnapshotFileProblem.Access,
                $"{others}, and what is in it decides what guests start from. Take the permission to write from others (chmod go-w), or use a directory of this process's user.");
        }
    }

    /// <summary>An error about this directory.</summary>
    public SnapshotFileException Error(SnapshotFileProblem problem, string details, Exception? cause = null) =>
        new(problem, Path, details, cause);

    /// <summary>Whether the directory says that it is an OCI image layout.</summary>
    /// <exception cref="SnapshotFileException">It is one of a version that is not known, or the marker is unreadable.</exception>
    public bool HasMarker()
    {
        if (ReadFile(root, OciNames.LayoutFile) is not { } content)
        {
            return false;
        }

        OciLayoutMarker marker = Parse(content, OciNames.LayoutFile, OciJson.Default.OciLayoutMarker);
        return marker.ImageLayoutVersion == OciNames.LayoutVersion
            ? true
            : throw Error(
                SnapshotFileProblem.Version,
                $"it is an OCI image layout of version '{marker.ImageLayoutVersion}'; version {OciNames.LayoutVersion} is known.");
    }

    /// <summary>The index, or <see langword="null"/> if there is none.</summary>
    /// <exception cref="SnapshotFileException">It is unreadable, or of a version that is not known.</exception>
    public OciIndex? ReadIndex()
    {
        if (ReadFile(root, OciNames.IndexFile) is not { } content)
        {
            return null;
        }

        OciIndex index = Parse(content, OciNames.IndexFile, OciJson.Default.OciIndex);
        CheckSchema(index.SchemaVersion, index.MediaType, OciNames.IndexMediaType, OciNames.IndexFile);
        return index;
    }

    /// <summary>A text file, or nothing if there is none.</summary>
    /// <exception cref="SnapshotFileException">The operating system refused.</exception>
    public string ReadText(string name) => Encoding.UTF8.GetString(ReadFile(root, name) ?? []);

    /// <summary>Reads a blob that is a document.</summary>
    /// <returns>The document's bytes, or <see langword="null"/> if the blob is missing.</returns>
    /// <exception cref="SnapshotFileException">It is not what its descriptor says.</exception>
    public byte[]? ReadDocument(OciDescriptor descriptor, string what)
    {
        OciDigest digest = DigestOf(descriptor, what);
        if (descriptor.Size is < 0 or > LargestDocument)
        {
            throw Error(SnapshotFileProblem.Corrupted, $"its {what} is said to have {descriptor.Size} bytes.");
        }

        if (Blobs() is not { } blobs || ReadFile(blobs, digest.Hex) is not { } content)
        {
            return null;
        }

        CheckSize(content.Length, descriptor.Size, what);
        return OciDigest.Of(content) == digest ? content : throw Altered(what, digest);
    }

    /// <summary>Opens a blob, whose size is checked and whose content is not.</summary>
    /// <returns>The file, or <see langword="null"/> if it is missing.</returns>
    /// <exception cref="SnapshotFileException">It has another size than its descriptor says.</exception>
    public SafeFileHandle? OpenBlob(OciDescriptor descriptor, string what) => Access(Path, () =>
    {
        SafeFileHandle? file = Blobs()?.TryOpenFile(DigestOf(descriptor, what).Hex);
        try
        {
            if (file is not null)
            {
                CheckSize(RandomAccess.GetLength(file), descriptor.Size, what);
            }

            return file;
        }
        catch
        {
            file?.Dispose();
            throw;
        }
    });

    /// <summary>Removes a blob.</summary>
    /// <exception cref="SnapshotFileException">The operating system refused.</exception>
    public void DeleteBlob(OciDigest digest) => Access(Path, () =>
    {
        Blobs()?.DeleteFile(digest.Hex);
        return true;
    });

    /// <summary>The directory of the blobs, which is created if it is not there.</summary>
    public OpenDirectory CreateBlobs()
    {
        using OpenDirectory parent = root.OpenOrCreateDirectory(OciNames.BlobDirectory);
        return _blobs ??= parent.OpenOrCreateDirectory(OciNames.DigestAlgorithm);
    }

    /// <summary>The digest that a descriptor names its blob by.</summary>
    /// <exception cref="SnapshotFileException">It is none, or by another algorithm.</exception>
    public OciDigest DigestOf(OciDescriptor descriptor, string what) => OciDigest.TryParse(descriptor.Digest, out OciDigest digest)
        ? digest
        : throw Error(SnapshotFileProblem.Corrupted, $"the digest of its {what}, '{descriptor.Digest}', is not a SHA-256 digest.");

    /// <summary>The error for a blob that is not what its name says.</summary>
    public SnapshotFileException Altered(string what, OciDigest digest) =>
        Error(SnapshotFileProblem.Corrupted, $"its {what} was altered: the content does not have the digest {digest}.");

    /// <summary>Reads a document.</summary>
    /// <exception cref="SnapshotFileException">It is malformed.</exception>
    public T Parse<T>(byte[] content, string what, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            JsonText.Check(content);
            return JsonSerializer.Deserialize(content, type)
                ?? throw Error(SnapshotFileProblem.Corrupted, $"its {what} is empty.");
        }
        catch (JsonException exception)
        {
            throw Error(SnapshotFileProblem.Corrupted, $"its {what} is malformed: {exception.Message}", exception);
        }
    }

    /// <summary>Checks that a document is of the version that is known.</summary>
    /// <exception cref="SnapshotFileException">It is not.</exception>
    public void CheckSchema(int version, string? mediaType, string expectedMediaType, string what)
    {
        if (version != OciNames.SchemaVersion || (mediaType is not null && mediaType != expectedMediaType))
        {
            throw Error(
                SnapshotFileProblem.Version,
                $"its {what} is of version {version} and type '{mediaType}'; version {OciNames.SchemaVersion} of '{expectedMediaType}' is known.");
        }
    }

    public void Dispose()
    {
        _blobs?.Dispose();
        root.Dispose();
    }

    private void CheckSize(long size, long expected, string what)
    {
        if (size != expected)
        {
            throw Error(
                size < expected ? SnapshotFileProblem.Truncated : SnapshotFileProblem.Corrupted,
                $"its {what} has {size} bytes instead of {expected}.");
        }
    }

    /// <summary>The directory of the blobs, or <see langword="null"/> if there is none yet.</summary>
    private OpenDirectory? Blobs() => _blobs ??= Access(Path, () =>
    {
        using OpenDirectory? parent = root.TryOpenDirectory(OciNames.BlobDirectory);
        return parent?.TryOpenDirectory(OciNames.DigestAlgorithm);
    });

    /// <summary>A document's bytes, or <see langword="null"/> if there is no such file.</summary>
    private byte[]? ReadFile(OpenDirectory directory, string name) => Access(Path, () =>
    {
        using SafeFileHandle? file = directory.TryOpenFile(name);
        if (file is null)
        {
            return null;
        }

        long length = RandomAccess.GetLength(file);
        if (length > LargestDocument)
        {
            throw Error(SnapshotFileProblem.NotASnapshot, $"'{name}' has {length} bytes, which no document of a snapshot has.");
        }

        var content = new byte[length];
        for (int done = 0; done < content.Length;)
        {
            int read = RandomAccess.Read(file, content.AsSpan(done), done);
            done += read > 0 ? read : throw new EndOfStreamException($"'{name}' was shortened while it was read.");
        }

        BytesRead += length;
        return content;
    });
}
