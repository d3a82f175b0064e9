namespace Hyperlight.Extensions.AI;

/// <summary>Code to execute. Immutable.</summary>
public sealed record CodeExecutionRequest
{
    /// <summary>The code.</summary>
    public required string Code { get; init; }

    /// <summary>
    /// The files that the code finds in <see cref="CodeExecutionOptions.FilesDirectory"/>, by their paths in it, which are relative and
    /// have no <c>.</c> and <c>..</c>. Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();
}
