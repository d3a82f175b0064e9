using Hyperlight.Host.Files;

namespace Hyperlight.Host.Snapshots.Files;

/// <summary>
/// The directories beside a new one in which it is written before it gets its name: on the same file system, under
/// unpredictable names.
/// </summary>
/// <param name="parent">The directory that holds them.</param>
/// <param name="name">The name of the new directory.</param>
internal sealed class StagingDirectories(OpenDirectory parent, string name)
{
    private const string Ending = ".staging";

    /// <summary>How often a directory is created that others remove at once. Few writers finish at the same moment.</summary>
    private const int Attempts = 100;

    private readonly string _prefix = $".{name}.";

    /// <summary>Creates one.</summary>
    /// <param name="staging">Its name.</param>
    public OpenDirectory Create(out string staging)
    {
        for (int attempt = 1; ; attempt++)
        {
            staging = $"{_prefix}{OpenDirectory.RandomName()}{Ending}";
            if (!parent.CreateDirectory(staging))
            {
                throw new IOException($"'{staging}' is there already.");
            }

            if (parent.TryOpenDirectory(staging) is { } directory)
            {
                return directory;
            }

            // It has no lock yet, so that a writer that has just finished takes it for an abandoned one.
            if (attempt == Attempts)
            {
                throw new DirectoryNotFoundException($"'{staging}' was removed.");
            }
        }
    }

    /// <summary>Removes those that processes which died were writing. Whatever cannot be removed now stays until the next time.</summary>
    public void RemoveAbandoned()
    {
        IReadOnlyList<string> names;
        try
        {
            names = parent.Names();
        }
        catch (UnauthorizedAccessException)
        {
            // Saving into a directory does not take the permission to list the one that holds it.
            return;
        }

        foreach (string staging in names.Where(n =>
            n.StartsWith(_prefix, StringComparison.Ordinal) && n.EndsWith(Ending, StringComparison.Ordinal)))
        {
            // It may have been created a moment ago. Its owner then saves into the directory itself, which exists already.
            Remove(staging, onlyIfUnused: true);
        }
    }

    /// <summary>Removes one with everything that a writer puts there, and nothing else.</summary>
    /// <param name="staging">Its name.</param>
    /// <param name="onlyIfUnused">Whether to leave it if someone writes into it.</param>
    public void Remove(string staging, bool onlyIfUnused = false)
    {
        try
        {
            using (OpenDirectory? directory = parent.TryOpenDirectory(staging))
            {
                if (directory is null || (onlyIfUnused && OciWriter.IsOpen(directory)))
                {
                    return;
                }

                RemoveBlobs(directory);
                RemoveFiles(directory);
            }

            parent.DeleteDirectory(staging);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It only takes space. What the caller has to say matters more.
        }
    }

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
                if (digests is not null)
                {
                    RemoveFiles(digests);
                }
            }

            blobs.DeleteDirectory(OciNames.DigestAlgorithm);
        }

        directory.DeleteDirectory(OciNames.BlobDirectory);
    }

    private static void RemoveFiles(OpenDirectory directory)
    {
        foreach (string file in directory.Names())
        {
            directory.DeleteFile(file);
        }
    }
}
