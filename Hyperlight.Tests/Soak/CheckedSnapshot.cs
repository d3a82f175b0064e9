namespace Hyperlight.Tests.Soak;

/// <summary>
/// A snapshot, and what a guest has to be after a restore. No record: two snapshots may be equal, but each is disposed by
/// itself.
/// </summary>
internal sealed class CheckedSnapshot(Snapshot snapshot, int counter)
{
    /// <summary>The snapshot.</summary>
    public Snapshot Snapshot => snapshot;

    /// <summary>The guest's counter.</summary>
    public int Counter => counter;
}
