namespace Hyperlight;

/// <summary>Why a snapshot cannot be saved to a directory or loaded from it.</summary>
public enum SnapshotFileProblem
{
    /// <summary>The directory does not exist, or contains no snapshot with the tag or digest.</summary>
    NotFound,

    /// <summary>The directory is no directory of snapshots, or the content with the tag or digest is no snapshot.</summary>
    NotASnapshot,

    /// <summary>A file is shorter than it was when it was saved.</summary>
    Truncated,

    /// <summary>A file is missing or corrupted: its digest or its size is wrong, or its content is invalid.</summary>
    Corrupted,

    /// <summary>
    /// The snapshot has a version of the format that this library does not support, or the format of another host. The
    /// message names both formats.
    /// </summary>
    Version,

    /// <summary>The snapshot is of another processor architecture.</summary>
    Architecture,

    /// <summary>The snapshot was taken on a hypervisor that cannot be used here.</summary>
    Hypervisor,

    /// <summary>The snapshot was taken on a processor of another vendor.</summary>
    Processor,

    /// <summary>The directory contains so many snapshots that a larger index could not be loaded.</summary>
    TooLarge,

    /// <summary>
    /// Reading or writing a file failed, or it is no regular file: the inner exception is the cause. Or other users may write to a directory that must
    /// be the application's.
    /// </summary>
    Access,
}
