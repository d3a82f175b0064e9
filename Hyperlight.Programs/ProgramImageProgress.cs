namespace Hyperlight.Programs;

/// <summary>What the building of an image is doing.</summary>
public enum ProgramImageStage
{
    /// <summary>The files are read, to find out whether the cache has their image.</summary>
    Reading,

    /// <summary>The image file is written.</summary>
    Writing,
}

/// <summary>How far the building of an image has come.</summary>
/// <param name="Stage">What it is doing.</param>
/// <param name="Path">The path in the image of the file that was read; empty while the image is written.</param>
/// <param name="Entries">The number of entries so far.</param>
/// <param name="Bytes">The number of bytes that were read or written so far.</param>
/// <param name="TotalBytes">The size of the image; <see langword="null"/> while it is not known.</param>
public sealed record ProgramImageProgress(ProgramImageStage Stage, string Path, int Entries, long Bytes, long? TotalBytes);
