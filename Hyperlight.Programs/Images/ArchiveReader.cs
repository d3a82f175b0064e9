using System.Formats.Tar;
using System.IO.Compression;

namespace Hyperlight.Programs.Images;

/// <summary>
/// Reads a tar archive, which may be compressed with gzip and may come from anywhere. The bytes of its files are kept in the temporary
/// file of the build; nothing is extracted.
/// </summary>
internal sealed class ArchiveReader(ImageBuild build)
{
    private static readonly byte[] GzipMagic = [0x1F, 0x8B];

    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private readonly List<ArchiveEntry> _entries = [];
    private string? _current;
    private int _count;

    /// <summary>The entries, in their order.</summary>
    /// <param name="file">The archive, at its start.</param>
    /// <exception cref="ProgramImageException">It is invalid or exceeds a limit; the error states the entry.</exception>
    public IReadOnlyList<ArchiveEntry> Read(Stream file)
    {
        try
        {
            var bounds = new ArchiveBounds(build.Options);
            var compressed = new BoundedStream(file, bounds, isCompressed: true);
            using Stream archive = IsCompressed(file)
                ? new BoundedStream(new GZipStream(compressed, CompressionMode.Decompress), bounds, isCompressed: false)
                : new BoundedStream(file, bounds, isCompressed: false);
            Read(archive, bounds);
            return _entries;
        }
        catch (Exception exception) when (IsMalformed(exception))
        {
            string problem = exception is EndOfStreamException ? "is truncated" : $"is invalid: {exception.Message.TrimEnd('.')}";
            throw _current is null
                ? build.Fail("the archive " + problem, exception)
                : build.Refuse(_current, $"or what follows it {problem}", exception);
        }
    }

    private static bool IsCompressed(Stream file)
    {
        Span<byte> start = stackalloc byte[GzipMagic.Length];
        int count = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        file.Position = 0;
        return start[..count].SequenceEqual(GzipMagic);
    }

    // What the readers of .NET throw for malformed archives. Another IOException is a failure of the host's files.
    private static bool IsMalformed(Exception exception) =>
        exception is EndOfStreamException or InvalidDataException or InvalidOperationException or FormatException or ArgumentException or OverflowException or OutOfMemoryException;

    private void Read(Stream archive, ArchiveBounds bounds)
    {
        using var reader = new TarReader(archive, leaveOpen: true);
        while (true)
        {
            build.CancellationToken.ThrowIfCancellationRequested();
            bounds.BeginHeader();
            if (reader.GetNextEntry() is not { } entry)
            {
                break;
            }

            bounds.EndHeader();
            _current = entry.Name;
            if (entry.EntryType != TarEntryType.GlobalExtendedAttributes)
            {
                Add(entry);
            }
        }

        if (bounds.IsAtEnd)
        {
            throw new EndOfStreamException();
        }
    }

    private void Add(TarEntry entry)
    {
        // Entries that are left out are counted too: the result lists them.
        if (++_count > build.Options.MaximumEntries)
        {
            throw build.Refuse(entry.Name, $"exceeds the limit of {build.Options.MaximumEntries} entries");
        }

        string path = string.Join('/', build.Split(entry.Name));
        build.CountText(entry.Name, entry.Name);
        build.CountText(entry.Name, entry.LinkName);
        TarEntryType? type = TypeOf(entry);
        if (type is null)
        {
            build.LeaveOut(entry.Name, Describe(entry.EntryType));
            entry.DataStream?.CopyTo(Stream.Null);
            return;
        }

        if (!_paths.Add(path) && type != TarEntryType.Directory)
        {
            throw build.Refuse(entry.Name, "is in the archive twice");
        }

        ImageContent? content = type == TarEntryType.RegularFile
            ? build.Keep(entry.Name, entry.DataStream ?? Stream.Null, entry.Length)
            : null;
        NodeAttributes attributes = NodeAttributes.Of(entry.Mode, entry.ModificationTime, (uint)entry.Uid, (uint)entry.Gid);
        _entries.Add(new ArchiveEntry(entry.Name, type.Value, attributes, entry.LinkName, content));
    }

    /// <summary>What an entry is in an image; <see langword="null"/> if it cannot be in one.</summary>
    private static TarEntryType? TypeOf(TarEntry entry) => entry.EntryType switch
    {
        TarEntryType.V7RegularFile or TarEntryType.RegularFile or TarEntryType.ContiguousFile =>
            entry.Name.EndsWith('/') ? TarEntryType.Directory : TarEntryType.RegularFile,
        TarEntryType.Directory or TarEntryType.DirectoryList => TarEntryType.Directory,
        TarEntryType.SymbolicLink => TarEntryType.SymbolicLink,
        TarEntryType.HardLink => TarEntryType.HardLink,
        _ => null,
    };

    private static string Describe(TarEntryType type) => type switch
    {
        TarEntryType.BlockDevice or TarEntryType.CharacterDevice => "a device",
        TarEntryType.Fifo => "a pipe",
        _ => $"of the type '{type}'",
    };
}
