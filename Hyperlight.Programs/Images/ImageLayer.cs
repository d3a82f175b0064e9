namespace Hyperlight.Programs.Images;

/// <summary>
/// The entries of a layer of a container image. Entries whose names begin with <c>.wh.</c> (whiteouts) remove what the layers below have:
/// they are applied first, so that they never concern entries of the layer itself.
/// </summary>
internal sealed class ImageLayer(ImageBuild build, IReadOnlyList<ArchiveEntry> entries)
{
    private const string WhiteoutPrefix = ".wh.";
    private const string OpaqueName = ".wh..wh..opq";

    // Names of a file system of the past, which are no files of the image.
    private const string MetadataPrefix = ".wh..wh.";

    public void Apply()
    {
        foreach (ArchiveEntry entry in entries)
        {
            build.CancellationToken.ThrowIfCancellationRequested();
            ApplyWhiteout(build.Split(entry.Path), entry.Path);
        }

        foreach (ArchiveEntry entry in entries)
        {
            if (!build.Split(entry.Path).Any(static name => name.StartsWith(WhiteoutPrefix, StringComparison.Ordinal)))
            {
                entry.AddTo(build);
            }
        }
    }

    private void ApplyWhiteout(IReadOnlyList<string> path, string entry)
    {
        if (path.Count == 0 || !path[^1].StartsWith(WhiteoutPrefix, StringComparison.Ordinal))
        {
            return;
        }

        if (path[^1] == OpaqueName)
        {
            build.Tree.Clear([.. path.SkipLast(1)]);
        }
        else if (!path[^1].StartsWith(MetadataPrefix, StringComparison.Ordinal))
        {
            string removed = path[^1][WhiteoutPrefix.Length..];
            if (removed is "" or "." or "..")
            {
                throw build.Refuse(entry, "removes a file that has no name");
            }

            build.Tree.Remove([.. path.SkipLast(1), removed]);
        }
    }
}
