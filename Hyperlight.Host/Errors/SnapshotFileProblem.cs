namespace Hyperlight;

/// <summary>Why a snapshot cannot be saved to a directory or loaded from it.</summary>
public enum SnapshotFileProblem
{
    /// <summary>There is no such directory, or it holds no snapshot of that tag or digest.</summary>
    NotFound,

    /// <summary>The directory, or what has that tag or digest in it, is something other than a snapshot.</summary>
    NotASnapshot,

    /// <summary>A file is shorter than it was when it was saved.</summary>
    Truncated,

    /// <summary>A file is missing or corrupted: its digest or its size is wrong, or its content is invalid.</summary>
    Corrupted,

    /// <summary>
    /// It was saved in a version of the format that this library does not know, or in the format of another host; the message
    /// names both formats.
    /// </summary>
    Version,

    /// <summary>Its guest is of another processor architecture.</summary>
    Architecture,

    /// <summary>It was taken on a hypervisor that cannot be used here.</summary>
    Hypervisor,

    /// <summary>It was taken on a processor of another vendor.</summary>
    Processor,

    /// <summary>The directory holds so many snapshots that its index could not be read any more.</summary>
    TooLarge,

    /// <summary>
    /// The operating system refused to read or write a file, or something else than a regular file stands in its place; the
    /// cause is inside.
    /// </summary>
    Access,
}
