using Hyperlight.Host.Snapshots.Files;

namespace Hyperlight.Programs;

/// <summary>
/// A checkpoint in the directory of a template: a saved snapshot with a tag of its own (<see cref="CheckpointTag"/>). Nobody else may write to
/// the directory.
/// </summary>
/// <param name="directory">The directory.</param>
/// <param name="tag">The tag.</param>
internal sealed class SavedCheckpoint(string directory, string tag)
{
    private readonly string _directory = Path.GetFullPath(directory);

    /// <summary>Whether what is saved cannot be used.</summary>
    private bool _isUnfit;

    /// <returns><see langword="null"/> if the template has no directory.</returns>
    public static SavedCheckpoint? Of(ProgramTemplate template, ProgramImageFile image, MultiUseSandbox sandbox) =>
        template.CheckpointDirectory is { } directory ? new SavedCheckpoint(directory, CheckpointTag.Of(template, image, sandbox)) : null;

    /// <summary>Puts a sandbox where the checkpoint was saved.</summary>
    /// <returns>The checkpoint; <see langword="null"/> if none was saved yet that fits the sandbox, which is not changed then.</returns>
    /// <exception cref="SnapshotFileException">It cannot be loaded.</exception>
    public Snapshot? TryRestore(MultiUseSandbox sandbox)
    {
        Snapshot? loaded = null;
        try
        {
            loaded = Snapshot.LoadAs(_directory, tag, sandbox.Hypervisor.Hypervisor, isPrivate: true);
            sandbox.Restore(loaded);
            return loaded;
        }
        catch (SnapshotFileException exception) when (exception.Problem == SnapshotFileProblem.NotFound)
        {
            return null;
        }
        catch (SnapshotMismatchException)
        {
            _isUnfit = true;
            loaded?.Dispose();
            return null;
        }
        catch
        {
            loaded?.Dispose();
            throw;
        }
    }

    /// <summary>Saves the checkpoint, unless another runner has done so meanwhile.</summary>
    /// <returns>Why it cannot be saved; <see langword="null"/> if it is.</returns>
    public SnapshotFileException? Save(Snapshot snapshot)
    {
        try
        {
            snapshot.SaveAs(_directory, tag, new SaveOptions { IsPrivate = true, IsReplacing = _isUnfit });
            return null;
        }
        catch (SnapshotFileException exception)
        {
            return exception;
        }
    }
}
