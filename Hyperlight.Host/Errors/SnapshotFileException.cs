using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>A snapshot cannot be saved to a directory, or loaded from it.</summary>
public sealed class SnapshotFileException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="problem">The reason.</param>
    /// <param name="path">The directory.</param>
    /// <param name="details">What is wrong and what to do, as sentences.</param>
    /// <param name="innerException">The exception that is the cause, or <see langword="null"/>.</param>
    public SnapshotFileException(SnapshotFileProblem problem, string path, string details, Exception? innerException = null)
        : base($"Snapshot directory '{path}': {GuestText.Escape(details)}", innerException)
    {
        Problem = problem;
        Path = path;
        Details = details;
    }

    /// <summary>The reason.</summary>
    public SnapshotFileProblem Problem { get; }

    /// <summary>The directory.</summary>
    public string Path { get; }

    /// <summary>What is wrong, without the directory.</summary>
    internal string Details { get; }
}
