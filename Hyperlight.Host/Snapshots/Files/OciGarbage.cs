using System.Globalization;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// Removes the blobs of snapshots whose tag went to another one, a while later: someone may be reading them, or about to.
/// What is to go is noted before the tag goes, so that nothing is forgotten if this process dies. Only what these
/// snapshots used and nothing else uses goes: the directory may hold what others have put there.
/// </summary>
internal static class OciGarbage
{
    /// <summary>How long blobs stay that nothing uses any more. Far more than it takes to open them.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    /// <summary>How many blobs are listed, the latest ones; a longer list could not be read any more. Others stay.</summary>
    private const int LongestList = 8192;

    /// <summary>
    /// How many bytes of manifests are read to find out what is in use. An index can name far more; nothing is removed then.
    /// </summary>
    private const long MostManifestBytes = 16 * OciDirectory.LargestDocument;

    /// <summary>Lists the blobs that are to go.</summary>
    /// <param name="directory">A directory that nobody else writes into.</param>
    /// <param name="replaced">Descriptors that its index is going to lose.</param>
    /// <returns>The former list and the new blobs, a line for each.</returns>
    public static string Add(OciDirectory directory, IEnumerable<OciDescriptor> replaced)
    {
        long now = Now;
        IEnumerable<(OciDigest Digest, long Time)> added =
            BlobsOf(directory, replaced)?.Select(digest => (digest, now)) ?? [];
        return Format(Read(directory).Concat(added));
    }

    /// <summary>Removes blobs whose time has come, and says what is left.</summary>
    /// <param name="directory">A directory that nobody else writes into.</param>
    /// <param name="grace">How long blobs stay.</param>
    /// <returns>The new list, or <see langword="null"/> if it is the old one.</returns>
    public static string? Remove(OciDirectory directory, TimeSpan grace)
    {
        (OciDigest Digest, long Time)[] listed = [.. Read(directory)];
        if (listed.Length == 0)
        {
            return null;
        }

        if (BlobsOf(directory, directory.ReadIndex()?.Manifests ?? []) is not { } used)
        {
            // Nothing may be removed here, so that there is nothing to remember either.
            return string.Empty;
        }

        long now = Now;
        var kept = new List<(OciDigest Digest, long Time)>();
        foreach ((OciDigest digest, long time) in listed.Where(l => !used.Contains(l.Digest)))
        {
            // A clock that was set back makes nothing stay for ever.
            if (Math.Abs(now - time) < grace.TotalMilliseconds || !TryDelete(directory, digest))
            {
                kept.Add((digest, time));
            }
        }

        return kept.Count == listed.Length ? null : Format(kept);
    }

    private static long Now => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    private static string Format(IEnumerable<(OciDigest Digest, long Time)> list) =>
        string.Concat(list.TakeLast(LongestList).Select(static l => string.Create(CultureInfo.InvariantCulture, $"{l.Digest} {l.Time}\n")));

    /// <summary>Reads the list. A line that is none is as good as a blob that was never listed.</summary>
    private static IEnumerable<(OciDigest Digest, long Time)> Read(OciDirectory directory)
    {
        foreach (string line in directory.ReadText(OciNames.GarbageFile).Split('\n'))
        {
            if (line.Split(' ') is [var name, var time]
                && OciDigest.TryParse(name, out OciDigest digest)
                && long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out long milliseconds))
            {
                yield return (digest, milliseconds);
            }
        }
    }

    /// <summary>Removes a blob, unless something is in the way: the snapshot is saved, and the next one tries again.</summary>
    private static bool TryDelete(OciDirectory directory, OciDigest digest)
    {
        try
        {
            directory.DeleteBlob(digest);
            return true;
        }
        catch (SnapshotFileException)
        {
            return false;
        }
    }

    /// <summary>
    /// The blobs of manifests, or <see langword="null"/> if one is of a kind whose blobs are not known, or there are too many.
    /// </summary>
    private static HashSet<OciDigest>? BlobsOf(OciDirectory directory, IEnumerable<OciDescriptor> descriptors)
    {
        var blobs = new HashSet<OciDigest>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        long most = directory.BytesRead + MostManifestBytes;
        foreach (OciDescriptor descriptor in descriptors.Where(d => seen.Add(d.Digest)))
        {
            if (directory.BytesRead > most || BlobsOf(directory, descriptor) is not { } ofOne)
            {
                return null;
            }

            blobs.UnionWith(ofOne);
        }

        return blobs;
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
            // Loading reports damaged files; here it only means that nothing may be removed.
            return null;
        }
    }
}
