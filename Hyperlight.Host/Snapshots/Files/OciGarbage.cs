namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Removes the blobs of snapshots whose tag went to another one. Only what these used and nothing else uses goes: the
/// directory may hold what others have put there.
/// </summary>
internal static class OciGarbage
{
    /// <param name="directory">A directory that nobody else writes into.</param>
    /// <param name="replaced">Descriptors that its index held before.</param>
    /// <exception cref="SnapshotFileException">The operating system refused.</exception>
    public static void Remove(OciDirectory directory, IReadOnlyList<OciDescriptor> replaced)
    {
        if (replaced.Count == 0 || directory.ReadIndex() is not { } index)
        {
            return;
        }

        var used = new HashSet<OciDigest>();
        foreach (OciDescriptor descriptor in index.Manifests)
        {
            if (BlobsOf(directory, descriptor) is not { } blobs)
            {
                // Of another kind, so that there is no telling what it uses.
                return;
            }

            used.UnionWith(blobs);
        }

        foreach (OciDigest digest in replaced.SelectMany(d => BlobsOf(directory, d) ?? []).Distinct().Where(d => !used.Contains(d)))
        {
            directory.Access(() =>
            {
                File.Delete(directory.BlobFile(digest));
                return digest;
            });
        }
    }

    /// <summary>The blobs of a manifest, itself included, or <see langword="null"/> if it cannot be read.</summary>
    private static List<OciDigest>? BlobsOf(OciDirectory directory, OciDescriptor descriptor)
    {
        try
        {
            if (descriptor.MediaType != OciNames.ManifestMediaType || directory.ReadDocument(descriptor, "manifest") is not { } content)
            {
                return null;
            }

            OciManifest manifest = directory.Parse(content, "manifest", OciJson.Default.OciManifest);
            return [.. new[] { descriptor, manifest.Config }.Concat(manifest.Layers).Select(d => directory.DigestOf(d, "blob"))];
        }
        catch (SnapshotFileException)
        {
            // What is damaged is found by whoever loads it; here it only means that nothing may be removed.
            return null;
        }
    }
}
