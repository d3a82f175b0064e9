using Hyperlight.Programs;

namespace Hyperlight.Extensions.AI;

/// <summary>What an execution of code had as its result. Immutable.</summary>
public sealed class CodeExecutionResult
{
    internal CodeExecutionResult(ProgramResult program)
    {
        Program = program;
    }

    /// <summary>How the program ended, without its output.</summary>
    public ProgramResult Program { get; }

    /// <summary>The standard output, at most <see cref="CodeExecutionOptions.MaximumText"/> characters.</summary>
    public string Output { get; internal init; } = "";

    /// <summary>The standard error, at most <see cref="CodeExecutionOptions.MaximumText"/> characters.</summary>
    public string Error { get; internal init; } = "";

    /// <summary>Whether output is missing, because there was more than <see cref="CodeExecutionOptions.MaximumText"/>.</summary>
    public bool IsTruncated { get; internal init; }

    /// <summary>
    /// The files that the code was handed, created or changed, by their paths in <see cref="CodeExecutionOptions.FilesDirectory"/>, as they
    /// were in the end.
    /// </summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; internal init; } = new Dictionary<string, ReadOnlyMemory<byte>>();
}
