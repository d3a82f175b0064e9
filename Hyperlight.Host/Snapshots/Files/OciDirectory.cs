using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Reads a directory in the OCI image layout. What it holds may come from anywhere: documents are bounded before they are
/// read, and every blob is checked against the digest that names it.
/// </summary>
internal sealed class OciDirectory(string path)
{
    /// <summary>No document of a snapshot comes near this; whatever is larger is something else.</summary>
    public const int LargestDocument = 1 << 20;

    /// <summary>The directory.</summary>
    public string Path { get; } = path;

    public string LayoutFile => System.IO.Path.Combine(Path, OciNames.LayoutFile);

    public string IndexFile => System.IO.Path.Combine(Path, OciNames.IndexFile);

    /// <summary>The list of blobs that are to be removed.</summary>
    public string GarbageFile => System.IO.Path.Combine(Path, ".hyperlight.garbage");

    public string BlobDirectory => System.IO.Path.Combine(Path, OciNames.BlobDirectory, OciNames.DigestAlgorithm);

    /// <summary>The file of a blob.</summary>
    public string BlobFile(OciDigest digest) => System.IO.Path.Combine(BlobDirectory, digest.Hex);

    /// <summary>An error about this directory.</summary>
    public SnapshotFileException Error(SnapshotFileProblem problem, string details, Exception? cause = null) =>
        new(problem, Path, details, cause);

    /// <summary>Does something with files, and turns what the operating system has against it into a typed error.</summary>
    /// <exception cref="SnapshotFileException">The operating system refused.</exception>
    public T Access<T>(Func<T> access)
    {
        try
        {
            return access();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Error(SnapshotFileProblem.Access, exception.Message, exception);
        }
    }

    /// <summary>Whether the directory says that it is an OCI image layout.</summary>
    /// <exception cref="SnapshotFileException">It is one of a version that is not known, or the marker is unreadable.</exception>
    public bool HasMarker()
    {
        if (ReadFile(LayoutFile) is not { } content)
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
        if (ReadFile(IndexFile) is not { } content)
        {
            return null;
        }

        OciIndex index = Parse(content, OciNames.IndexFile, OciJson.Default.OciIndex);
        CheckSchema(index.SchemaVersion, index.MediaType, OciNames.IndexMediaType, OciNames.IndexFile);
        return index;
    }

    /// <summary>A text file, or nothing if there is none.</summary>
    /// <exception cref="SnapshotFileException">The operating system refused.</exception>
    public string ReadText(string file) => Encoding.UTF8.GetString(ReadFile(file) ?? []);

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

        if (ReadFile(BlobFile(digest)) is not { } content)
        {
            return null;
        }

        CheckSize(content.Length, descriptor.Size, what);
        return OciDigest.Of(content) == digest ? content : throw Altered(what, digest);
    }

    /// <summary>Opens a blob, whose size is checked and whose content is not.</summary>
    /// <returns>The file, or <see langword="null"/> if it is missing.</returns>
    /// <exception cref="SnapshotFileException">It has another size than its descriptor says.</exception>
    public FileStream? OpenBlob(OciDescriptor descriptor, string what)
    {
        FileStream? file = Open(BlobFile(DigestOf(descriptor, what)));
        try
        {
            if (file is not null)
            {
                CheckSize(file.Length, descriptor.Size, what);
            }

            return file;
        }
        catch
        {
            file?.Dispose();
            throw;
        }
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

    private void CheckSize(long size, long expected, string what)
    {
        if (size != expected)
        {
            throw Error(
                size < expected ? SnapshotFileProblem.Truncated : SnapshotFileProblem.Corrupted,
                $"its {what} has {size} bytes instead of {expected}.");
        }
    }

    /// <summary>A document's bytes, or <see langword="null"/> if there is no such file.</summary>
    private byte[]? ReadFile(string file)
    {
        using FileStream? stream = Open(file);
        if (stream is null)
        {
            return null;
        }

        if (stream.Length > LargestDocument)
        {
            throw Error(SnapshotFileProblem.NotASnapshot, $"'{file}' has {stream.Length} bytes, which no document of a snapshot has.");
        }

        return Access(() =>
        {
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        });
    }

    private FileStream? Open(string file) => Access(() =>
    {
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    });
}
