using Hyperlight.Host.Files;
using Microsoft.Win32.SafeHandles;

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
            staging = NewName();
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

        foreach (string staging in names.Where(IsStaging))
        {
            Try(() => RemoveIfAbandoned(staging));
        }
    }

    /// <summary>Removes one with everything that a writer puts there, and nothing else.</summary>
    /// <param name="staging">Its name.</param>
    public void Remove(string staging) => Try(() =>
    {
        using (OpenDirectory? directory = parent.TryOpenDirectory(staging))
        {
            if (directory is null || !WrittenFiles.AreAll(directory))
            {
                return;
            }

            WrittenFiles.Remove(directory);
        }

        parent.DeleteDirectory(staging);
    });

    private static void Try(Action removal)
    {
        try
        {
            removal();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What stays only takes space. What the caller has to say matters more.
        }
    }

    /// <summary>A name that is not in use. Its form is exact, so that it is none of a directory whose name begins like this one's.</summary>
    private string NewName() => $"{_prefix}{OpenDirectory.RandomName()}{Ending}";

    private bool IsStaging(string entry) =>
        entry.Length >= _prefix.Length + Ending.Length
        && entry.StartsWith(_prefix, StringComparison.Ordinal)
        && entry.EndsWith(Ending, StringComparison.Ordinal)
        && OpenDirectory.IsRandomName(entry.AsSpan(_prefix.Length..^Ending.Length));

    private void RemoveIfAbandoned(string staging)
    {
        using (OpenDirectory? directory = parent.TryOpenDirectory(staging))
        {
            if (directory is null)
            {
                return;
            }

            LockResult result = directory.TryLock(OciNames.LockFile, create: false, out SafeFileHandle? file);
            file?.Dispose();
            switch (result)
            {
                case LockResult.Missing:
                    // A moment ago created, or left by a process that died there: only an empty directory is removed. The owner
                    // of a new one then saves into the directory itself, which exists already.
                    parent.DeleteDirectory(staging);
                    return;
                case LockResult.Locked when WrittenFiles.AreAll(directory):
                    break;
                default:
                    return;
            }
        }

        // Its owner may be alive and about to give it its final name. Only one of both can rename it: if the owner was first,
        // there is nothing under this name any more, and the finished directory is not touched.
        string claimed = NewName();
        parent.Rename(staging, claimed);
        Remove(claimed);
    }
}
