namespace Hyperlight;

/// <summary>Creates sandbox builders with the application's hypervisor, configuration and logging. Thread-safe.</summary>
public interface ISandboxFactory
{
    /// <summary>The hypervisor that sandboxes will run on, and why.</summary>
    /// <exception cref="HypervisorNotAvailableException">None can be used; the message says what to do.</exception>
    HypervisorSelection Hypervisor { get; }

    /// <summary>Creates a builder.</summary>
    SandboxBuilder CreateBuilder();

    /// <summary>Loads a snapshot for sandboxes of this factory from a directory.</summary>
    /// <param name="path">The directory.</param>
    /// <param name="reference">The snapshot: a tag, or the digest that <see cref="Snapshot.Save"/> returned.</param>
    /// <exception cref="ArgumentException">The path is empty, or the reference is neither tag nor digest.</exception>
    /// <exception cref="SnapshotFileException">The snapshot cannot be loaded, or was taken on another hypervisor than the factory's.</exception>
    /// <exception cref="HypervisorException">The operating system did not provide the memory.</exception>
    /// <exception cref="HypervisorNotAvailableException">No hypervisor can be used; the message says what to do.</exception>
    Snapshot LoadSnapshot(string path, string reference = Snapshot.DefaultTag);
}
