using Hyperlight.Host.Diagnostics;

namespace Hyperlight;

/// <summary>A snapshot cannot be used by a sandbox. Neither was changed.</summary>
public sealed class SnapshotMismatchException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="mismatch">The kind of difference.</param>
    /// <param name="details">The difference, as a sentence.</param>
    /// <param name="missingFunctions">Signatures of host functions that the sandbox lacks.</param>
    /// <param name="changedFunctions">Signatures of host functions that the sandbox has with other types.</param>
    public SnapshotMismatchException(
        SnapshotMismatch mismatch,
        string details,
        IReadOnlyList<string>? missingFunctions = null,
        IReadOnlyList<string>? changedFunctions = null)
        : base($"The snapshot does not fit the sandbox. {GuestText.Escape(details)}")
    {
        Mismatch = mismatch;
        MissingFunctions = missingFunctions ?? [];
        ChangedFunctions = changedFunctions ?? [];
    }

    /// <summary>The kind of difference.</summary>
    public SnapshotMismatch Mismatch { get; }

    /// <summary>The snapshot's signatures of host functions that the sandbox lacks.</summary>
    public IReadOnlyList<string> MissingFunctions { get; }

    /// <summary>The snapshot's signatures of host functions that the sandbox has with other types.</summary>
    public IReadOnlyList<string> ChangedFunctions { get; }
}
