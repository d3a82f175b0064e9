using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Saves a snapshot to a directory: into a new one that appears complete, or into one that is there.</summary>
internal sealed class SnapshotSaver
{
    private const string StagingEnding = ".staging";

    private static readonly OciIndex Empty = new(OciNames.SchemaVersion, []) { MediaType = OciNames.IndexMediaType };

    private readonly OciDirectory _directory;
    private readonly SnapshotContent _content;
    private readonly string _tag;
    private readonly TimeSpan _garbageGrace;

    private SnapshotSaver(OciDirectory directory, SnapshotContent content, string tag, TimeSpan garbageGrace)
    {
        _directory = directory;
        _content = content;
        _tag = tag;
        _garbageGrace = garbageGrace;
    }

    private string StagingPrefix =>
        Path.Combine(Path.GetDirectoryName(_directory.Path) ?? _directory.Path, $".{Path.GetFileName(_directory.Path)}.");

    /// <summary>Saves a snapshot.</summary>
    /// <param name="content">The snapshot, whose memory the caller keeps.</param>
    /// <param name="path">The directory.</param>
    /// <param name="tag">The name in the directory; it is taken from the snapshot that has it.</param>
    /// <param name="garbageGrace">How long blobs stay that no tag leads to any more.</param>
    /// <returns>The digest of the manifest.</returns>
    /// <exception cref="SnapshotFileException">The operating system refused, or the directory is something else.</exception>
    public static string Save(SnapshotContent content, string path, string tag, TimeSpan garbageGrace)
    {
        var directory = new OciDirectory(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return directory.Access(new SnapshotSaver(directory, content, tag, garbageGrace).Save);
    }

    private string Save()
    {
        if (File.Exists(_directory.Path))
        {
            throw _directory.Error(SnapshotFileProblem.NotASnapshot, "it is a file. Choose another path.");
        }

        return Directory.Exists(_directory.Path) ? SaveInto() : SaveAs();
    }

    private string SaveAs()
    {
        // Beside the directory, so that it is on the same file system.
        var staging = new OciDirectory($"{StagingPrefix}{Path.GetRandomFileName()}{StagingEnding}");
        try
        {
            Directory.CreateDirectory(staging.Path);
            string digest;
            using (OciWriter writer = OciWriter.Open(staging))
            {
                digest = Write(writer, Empty);
            }

            Directory.Move(staging.Path, _directory.Path);
            RemoveAbandoned();
            return digest;
        }
        catch (IOException) when (Directory.Exists(_directory.Path))
        {
            // Someone else was faster.
            Remove(staging.Path);
            return SaveInto();
        }
        catch
        {
            Remove(staging.Path);
            throw;
        }
    }

    private string SaveInto()
    {
        if (!_directory.HasMarker() && !OciWriter.IsEmptyOrUnfinished(_directory.Path))
        {
            throw _directory.Error(
                SnapshotFileProblem.NotASnapshot, "it holds files that are not an OCI image layout. Choose an empty or a new _directory.");
        }

        RemoveAbandoned();
        using OciWriter writer = OciWriter.Open(_directory);
        OciIndex index = _directory.ReadIndex() ?? Empty;
        string digest = Write(writer, index);
        writer.RemoveGarbage(_garbageGrace);
        return digest;
    }

    private string Write(OciWriter writer, OciIndex index)
    {
        GuestImage image = _content.Image;
        OciDescriptor memory = writer.WriteMemory(image.Pages, image.PageTables, OciNames.MemoryMediaType);
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

    /// <summary>Removes directories that processes which died were writing for this path.</summary>
    private void RemoveAbandoned()
    {
        string prefix = StagingPrefix;
        foreach (string staging in Directory.EnumerateDirectories(
            Path.GetDirectoryName(prefix)!, $"{Path.GetFileName(prefix)}*{StagingEnding}"))
        {
            // It may have been made just now. Whoever made it saves into the directory then, which is there already.
            if (!OciWriter.IsOpen(staging))
            {
                Remove(staging);
            }
        }
    }

    /// <summary>Removes a directory that nobody will miss; what cannot be removed now stays until the next time.</summary>
    private static void Remove(string path)
    {
        try
        {
            Directory.Delete(path, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It only takes space. What the caller has to say matters more.
        }
    }
}
