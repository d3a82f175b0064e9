using Hyperlight.Host.Files;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>Tells what <see cref="OciWriter"/> puts into a directory from the files of others.</summary>
internal static class WrittenFiles
{
    /// <summary>Whether a name is one of a file that is being written.</summary>
    public static bool IsTemporary(string name) =>
        name.EndsWith(OciNames.TemporaryEnding, StringComparison.Ordinal)
        && OpenDirectory.IsRandomName(name.AsSpan(0, name.Length - OciNames.TemporaryEnding.Length));

    /// <summary>Whether a directory holds nothing but what a writer puts there before the marker.</summary>
    public static bool IsEmptyOrUnfinished(OpenDirectory directory) =>
        directory.Names().All(static name => name is OciNames.LockFile or OciNames.BlobDirectory || IsTemporary(name));

    /// <summary>Whether a directory holds nothing but what a writer puts there.</summary>
    public static bool AreAll(OpenDirectory directory)
    {
        if (!directory.Names().All(static name =>
            name is OciNames.LockFile or OciNames.LayoutFile or OciNames.IndexFile or OciNames.GarbageFile or OciNames.BlobDirectory
            || IsTemporary(name)))
        {
            return false;
        }

        using OpenDirectory? blobs = directory.TryOpenDirectory(OciNames.BlobDirectory);
        if (blobs is null)
        {
            return true;
        }

        using OpenDirectory? digests = blobs.TryOpenDirectory(OciNames.DigestAlgorithm);
        return blobs.Names().All(static name => name == OciNames.DigestAlgorithm)
            && (digests is null || digests.Names().All(static name => IsBlob(name) || IsTemporary(name)));
    }

    /// <summary>Empties a directory that holds nothing else. The lock file goes last: a directory with other files has it.</summary>
    public static void Remove(OpenDirectory directory)
    {
        RemoveBlobs(directory);
        foreach (string file in directory.Names().Where(static name => name != OciNames.LockFile))
        {
            directory.DeleteFile(file);
        }

        directory.DeleteFile(OciNames.LockFile);
    }

    private static bool IsBlob(string name) => OciDigest.TryParse($"{OciNames.DigestAlgorithm}:{name}", out _);

    private static void RemoveBlobs(OpenDirectory directory)
    {
        using (OpenDirectory? blobs = directory.TryOpenDirectory(OciNames.BlobDirectory))
        {
            if (blobs is null)
            {
                return;
            }

            using (OpenDirectory? digests = blobs.TryOpenDirectory(OciNames.DigestAlgorithm))
            {
                foreach (string file in digests?.Names() ?? [])
                {
                    digests!.DeleteFile(file);
                }
            }

            blobs.DeleteDirectory(OciNames.DigestAlgorithm);
        }

        directory.DeleteDirectory(OciNames.BlobDirectory);
    }
}
