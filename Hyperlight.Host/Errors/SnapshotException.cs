namespace Hyperlight;

/// <summary>A snapshot cannot be taken: what the guest has made of its page tables does not allow it.</summary>
public sealed class SnapshotException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="problem">What is wrong, as a clause.</param>
    public SnapshotException(string problem)
        : base($"The snapshot is not possible: {problem}.")
    {
    }
}
