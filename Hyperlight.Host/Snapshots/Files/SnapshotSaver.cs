using Hyperlight.Host.Memory;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Saves a snapshot to a directory: into a new one that appears complete, or into one that is there.</summary>
internal static class SnapshotSaver
{
    private const string StagingEnding = ".staging";

    private static readonly OciIndex Empty = new(OciNames.SchemaVersion, []) { MediaType = OciNames.IndexMediaType };

    /// <summary>Saves a snapshot.</summary>
    /// <param name="content">The snapshot, whose memory the caller keeps.</param>
    /// <param name="path">The directory.</param>
    /// <param name="tag">The name in the directory; it is taken from the snapshot that has it.</param>
    /// <param name="garbageGrace">How long blobs stay that no tag leads to any more.</param>
    /// <returns>The digest of the manifest.</returns>
    /// <exception cref="SnapshotFileException">The operating system refused, or the directory is something else.</exception>
    public static OciDigest Save(SnapshotContent content, string path, string tag, TimeSpan garbageGrace)
    {
        var directory = new OciDirectory(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        return directory.Access(() =>
        {
            if (File.Exists(directory.Path))
            {
                throw directory.Error(SnapshotFileProblem.NotASnapshot, "it is a file. Choose another path.");
            }

            return Directory.Exists(directory.Path) ? SaveInto(directory, content, tag, garbageGrace) : SaveAs(directory, content, tag, garbageGrace);
        });
    }

    private static OciDigest SaveAs(OciDirectory directory, SnapshotContent content, string tag, TimeSpan garbageGrace)
    {
        // Beside the directory, so that it is on the same file system.
        var staging = new OciDirectory($"{StagingPrefix(directory)}{Path.GetRandomFileName()}{StagingEnding}");
        try
        {
            Directory.CreateDirectory(staging.Path);
            OciDigest digest;
            using (OciWriter writer = OciWriter.Open(staging))
            {
                digest = Write(writer, content, tag, Empty);
            }

            Directory.Move(staging.Path, directory.Path);
            RemoveAbandoned(directory);
            return digest;
        }
        catch (IOException) when (Directory.Exists(directory.Path))
        {
            // Someone else was faster.
            Remove(staging.Path);
            return SaveInto(directory, content, tag, garbageGrace);
        }
        catch
        {
            Remove(staging.Path);
            throw;
        }
    }

    private static OciDigest SaveInto(OciDirectory directory, SnapshotContent content, string tag, TimeSpan garbageGrace)
    {
        if (!directory.HasMarker() && !OciWriter.IsEmptyOrUnfinished(directory.Path))
        {
            throw directory.Error(
                SnapshotFileProblem.NotASnapshot, "it holds files that are not an OCI image layout. Choose an empty or a new directory.");
        }

        RemoveAbandoned(directory);
        using OciWriter writer = OciWriter.Open(directory);
        OciIndex index = directory.ReadIndex() ?? Empty;
        OciDigest digest = Write(writer, content, tag, index);
        writer.RemoveGarbage(garbageGrace);
        return digest;
    }

    private static OciDigest Write(OciWriter writer, SnapshotContent content, string tag, OciIndex index)
    {
        GuestImage image = content.Image;
        OciDescriptor memory = writer.WriteMemory(image.Pages, image.PageTables, OciNames.MemoryMediaType);
        OciDescriptor config = writer.WriteDocument(
            ConfigWriter.Describe(content), ConfigJson.Default.ConfigDocument, OciNames.ConfigMediaType);
        var manifest = new OciManifest(OciNames.SchemaVersion, config, [memory])
        {
            MediaType = OciNames.ManifestMediaType,
            ArtifactType = OciNames.ConfigMediaType,
            Annotations = ConfigWriter.Annotate(content),
        };
        OciDescriptor descriptor = writer.WriteDocument(manifest, ReadableOciJson.Instance.OciManifest, OciNames.ManifestMediaType) with
        {
            Annotations = new Dictionary<string, string>
            {
                [OciNames.TagAnnotation] = tag,
                [OciNames.ArchitectureAnnotation] = OciNames.Architecture,
                [OciNames.HypervisorAnnotation] = content.Hypervisor,
                [OciNames.ProcessorVendorAnnotation] = content.ProcessorVendor,
            },
        };

        writer.NoteGarbage([.. index.Manifests.Where(m => m.Tag == tag && m.Digest != descriptor.Digest)]);
        writer.WriteMarker();
        writer.WriteIndex(index with { Manifests = [.. index.Manifests.Where(m => m.Tag != tag), descriptor] });
        _ = OciDigest.TryParse(descriptor.Digest, out OciDigest digest);
        return digest;
    }

    /// <summary>Removes directories that processes which died were writing for this path.</summary>
    private static void RemoveAbandoned(OciDirectory directory)
    {
        string prefix = StagingPrefix(directory);
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

    private static string StagingPrefix(OciDirectory directory) =>
        Path.Combine(Path.GetDirectoryName(directory.Path) ?? directory.Path, $".{Path.GetFileName(directory.Path)}.");

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
