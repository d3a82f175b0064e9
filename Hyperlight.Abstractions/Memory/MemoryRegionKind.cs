namespace Hyperlight.Abstractions;

/// <summary>What backs a region of host memory.</summary>
public enum MemoryRegionKind
{
    /// <summary>Zero-filled memory of the operating system, private to this process.</summary>
    Anonymous,

    /// <summary>A private, read-only view of a file.</summary>
    File,

    /// <summary>Memory of the managed heap, for drivers that run in this process and for tests.</summary>
    Managed,

    /// <summary>Memory that the application gave.</summary>
    Host,
}
