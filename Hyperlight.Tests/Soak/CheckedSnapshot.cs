namespace Hyperlight.Tests.Soak;

/// <summary>A snapshot, and what a guest has to be after a restore.</summary>
/// <param name="Snapshot">The snapshot.</param>
/// <param name="Counter">The guest's counter.</param>
internal sealed record CheckedSnapshot(Snapshot Snapshot, int Counter);
