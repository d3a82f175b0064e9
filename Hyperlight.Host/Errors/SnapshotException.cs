namespace Hyperlight;

/// <summary>
/// A snapshot cannot be taken: the guest's page tables are invalid, or a mapped file that the guest uses cannot be read any
/// more. In the second case the inner exception has the reason.
/// </summary>
public sealed class SnapshotException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="problem">What is wrong, as a clause.</param>
    public SnapshotException(string problem)
        : base($"The snapshot is not possible: {problem}.")
    {
    }

    /// <summary>Creates the error for a mapping that cannot be read.</summary>
    /// <param name="label">The mapping's label.</param>
    /// <param name="innerException">Why the file behind it cannot be read.</param>
    public SnapshotException(string label, FileMappingException innerException)
        : base($"The snapshot is not possible: the guest uses the mapping '{label}', whose file cannot be read: {innerException?.Message}", innerException) =>
        Label = label;

    /// <summary>The label of the mapping that cannot be read; <see langword="null"/> if something else is wrong.</summary>
    public string? Label { get; }
}
