using Hyperlight.Host.Files;
using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Saves a snapshot to a directory: into a new one that appears complete, or into one that is there.</summary>
internal sealed class SnapshotSaver
{
    private static readonly OciIndex Empty = new(OciNames.SchemaVersion, []) { MediaType = OciNames.IndexMediaType };

    private readonly string _path;
    private readonly SnapshotContent _content;
    private readonly string _tag;
    private readonly SaveOptions _options;

    private SnapshotSaver(string path, SnapshotContent content, string tag, SaveOptions options)
    {
        _path = path;
        _content = content;
        _tag = tag;
        _options = options;
    }

    /// <summary>Where the directory is: its parent, or itself if it has none.</summary>
    private string ParentPath => Path.GetDirectoryName(_path) ?? _path;

    /// <summary>Saves a snapshot.</summary>
    /// <param name="content">The snapshot, whose memory the caller keeps.</param>
    /// <param name="path">The directory.</param>
    /// <param name="tag">The name in the directory.</param>
    /// <param name="options">How it is saved.</param>
    /// <returns>The digest of the manifest that has the tag then.</returns>
    /// <exception cref="SnapshotFileException">The operating system refused, or the directory is something else.</exception>
    public static string Save(SnapshotContent content, string path, string tag, SaveOptions options)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        return OciDirectory.Access(path, new SnapshotSaver(path, content, tag, options).Save);
    }

    private string Save()
    {
        if (File.Exists(_path))
        {
            throw new SnapshotFileException(SnapshotFileProblem.NotASnapshot, _path, "it is a file. Choose another path.");
        }

        using OciDirectory? directory = OciDirectory.TryOpen(_path);
        if (directory is null)
        {
            Directory.CreateDirectory(ParentPath);
        }

        // The directory may be one that this process may use, in one that it may not.
        using OpenDirectory parent = OpenDirectory.TryOpen(ParentPath) ?? throw new DirectoryNotFoundException($"'{ParentPath}' was removed.");
        var staging = new StagingDirectories(parent, Path.GetFileName(_path));
        return directory is null ? SaveAs(parent, staging) : SaveInto(directory, staging);
    }

    private string SaveAs(OpenDirectory parent, StagingDirectories staging)
    {
        using var directory = new OciDirectory(_path, staging.Create(out string name));
        try
        {
            string digest;
            using (OciWriter writer = OciWriter.Open(directory))
            {
                digest = Write(writer, Empty);
                if (OperatingSystem.IsWindows())
                {
                    // It does not rename a directory in which a file is open.
                    writer.Dispose();
                }

                // Elsewhere with the lock, so that the directory is at no moment like one that a process which died was writing.
                parent.Rename(name, Path.GetFileName(_path));
            }

            staging.RemoveAbandoned();
            return digest;
        }
        catch (IOException) when (Directory.Exists(_path))
        {
            // Someone else was faster.
            staging.Remove(name);
            using OciDirectory existing = OciDirectory.TryOpen(_path) ?? throw new DirectoryNotFoundException($"'{_path}' was removed.");
            return SaveInto(existing, staging);
        }
        catch
        {
            staging.Remove(name);
            throw;
        }
    }

    private string SaveInto(OciDirectory directory, StagingDirectories staging)
    {
        if (_options.IsPrivate)
        {
            directory.CheckWriters();
        }

        if (!directory.HasMarker() && !WrittenFiles.IsEmptyOrUnfinished(directory.Root))
        {
            throw directory.Error(
                SnapshotFileProblem.NotASnapshot, "it holds files that are not an OCI image layout. Choose an empty or a new directory.");
        }

        // Without the lock: many processes can be here at the same time with the same snapshot, and most find it saved.
        if (directory.HasMarker() && DigestToKeep(directory.ReadIndex()) is { } saved)
        {
            return saved;
        }

        // First the lock: a directory that holds it is not empty, so that no other one takes its place.
        using OciWriter writer = OciWriter.Open(directory);
        staging.RemoveAbandoned();
        OciIndex index = directory.ReadIndex() ?? Empty;
        string digest = DigestToKeep(index) ?? Write(writer, index);
        writer.RemoveGarbage(_options.GarbageGrace);
        return digest;
    }

    /// <summary>The digest of the snapshot that has the tag, if it is to keep it.</summary>
    private string? DigestToKeep(OciIndex? index) =>
        _options.IsReplacing ? null : index?.Manifests.FirstOrDefault(m => m.Tag == _tag)?.Digest;

    private string Write(OciWriter writer, OciIndex index)
    {
        GuestImage image = _content.Image;
        OciDescriptor memory = writer.WriteMemory(image.Pages, image.PageTables.ToArray(), OciNames.MemoryMediaType);
        OciDescriptor config = writer.WriteDocument(
            ConfigWriter.Describe(_content), ConfigJson.Default.ConfigDocument, OciNames.ConfigMediaType);
        var manifest = new OciManifest(OciNames.SchemaVersion, config, [memory])
        {
            MediaType = OciNames.ManifestMediaType,
            ArtifactType = OciNames.ConfigMediaType,
            Annotations = ConfigWriter.Annotate(_content),
        };
        OciDescriptor descriptor = writer.WriteDocument(manifest, ReadableOciJson.Instance.OciManifest, OciNames.ManifestMediaType) with
        {
            Annotations = new Dictionary<string, string>
            {
                [OciNames.TagAnnotation] = _tag,
                [OciNames.ArchitectureAnnotation] = OciNames.Architecture,
                [OciNames.HypervisorAnnotation] = _content.Hypervisor,
                [OciNames.ProcessorVendorAnnotation] = _content.ProcessorVendor,
            },
        };

        writer.NoteGarbage([.. index.Manifests.Where(m => m.Tag == _tag && m.Digest != descriptor.Digest)]);
        writer.WriteMarker();
        writer.WriteIndex(index with { Manifests = [.. index.Manifests.Where(m => m.Tag != _tag), descriptor] });
        return descriptor.Digest;
    }
}
