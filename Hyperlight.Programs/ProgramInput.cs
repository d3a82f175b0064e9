namespace Hyperlight.Programs;

/// <summary>What a program gets in one run. Immutable.</summary>
public sealed record ProgramInput
{
    /// <summary>Input without arguments and with an empty standard input.</summary>
    public static ProgramInput Empty { get; } = new();

    /// <summary>The bytes of the standard input. They must not be changed during the run. Default: none.</summary>
    public ReadOnlyMemory<byte> StandardInput { get; init; }

    /// <summary>
    /// What the program reads after <see cref="StandardInput"/>, as it reads it. A program that waits for the stream uses up its time. The
    /// stream is not closed, and may have been read further than the program has read. Default: none. For a <see cref="System.IO.Pipelines.PipeReader"/>, use its
    /// <c>AsStream</c>.
    /// </summary>
    public Stream? StandardInputStream { get; init; }

    /// <summary>
    /// Where the standard output is written to as it comes, and flushed; <see cref="ProgramResult.StandardOutput"/> is empty then. A
    /// program waits for the stream, and <see cref="ProgramLimits.Output"/> limits its output all the same. The stream is not closed.
    /// Default: none. For a <see cref="System.IO.Pipelines.PipeWriter"/>, use its <c>AsStream</c>.
    /// </summary>
    public Stream? StandardOutputStream { get; init; }

    /// <summary>As <see cref="StandardOutputStream"/>, for the standard error.</summary>
    public Stream? StandardErrorStream { get; init; }

    /// <summary>Arguments that follow those of <see cref="ProgramTemplate.Command"/>. Default: none.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];
}
