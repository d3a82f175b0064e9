namespace Hyperlight.Programs;

/// <summary>What a program gets in one run. Immutable.</summary>
public sealed record ProgramInput
{
    /// <summary>Input without arguments and with an empty standard input.</summary>
    public static ProgramInput Empty { get; } = new();

    /// <summary>The bytes of the standard input. They must not be changed during the run. Default: none.</summary>
    public ReadOnlyMemory<byte> StandardInput { get; init; }

    /// <summary>
    /// What the program reads after <see cref="StandardInput"/>, as it asks for it. A program that waits for the stream uses up its time. Its
    /// <c>ReadAsync</c> must return a task without blocking its thread: neither a limit nor a cancellation ends a run whose thread it blocks. The
    /// stream is not closed, and may have been read further than the program has read. A read that is in progress at the end of the run is
    /// cancelled; if the stream takes no notice of that, the run ends a second later, and the read takes the stream's next bytes, which are lost. Do not
    /// give such a stream, as the console's is one, to another run. Default: none. For a <see cref="System.IO.Pipelines.PipeReader"/>, use its
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

    /// <summary>
    /// Files that the program finds besides those of the image, by their absolute paths; they replace files of the image. Their mode is
    /// 0644, and directories that are missing are created. They use up memory of the program. The bytes must not be changed during the
    /// run. Default: none.
    /// </summary>
    public IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Files { get; init; } = new Dictionary<string, ReadOnlyMemory<byte>>();

    /// <summary>
    /// The absolute paths of directories whose files the result has (<see cref="ProgramResult.Files"/>): those that the program has
    /// created or changed, and those of <see cref="Files"/>. Directories that are missing are created. Default: none.
    /// </summary>
    public IReadOnlyList<string> OutputDirectories { get; init; } = [];

    /// <summary>
    /// Tools besides those of <see cref="ProgramTemplate.Tools"/>; they replace tools of the same name. Default: none.
    /// </summary>
    public IReadOnlyList<ProgramTool> Tools { get; init; } = [];

    /// <summary>Where the program may connect to, instead of <see cref="ProgramTemplate.Network"/>. Default: what the template says.</summary>
    public ProgramNetwork? Network { get; init; }

    /// <summary>
    /// The seed of this run's random numbers, instead of <see cref="ProgramTemplate.Seed"/>, which must be set. What was drawn before a checkpoint is of
    /// the template's seed, and so is what the emulator's processor gives itself (RDRAND, RDSEED). Default: that of the template.
    /// </summary>
    public ulong? Seed { get; init; }

    /// <summary>Arguments that follow those of <see cref="ProgramTemplate.Command"/>. Default: none.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>
    /// Environment variables of this run, besides those of <see cref="ProgramTemplate.Environment"/>, or instead of their values. Default:
    /// none. A program that starts at its entry point (<see cref="ProgramCheckpoint.EntryPoint"/>) has the variables of the template only,
    /// with the values of the run; one that reads <c>/dev/hyperlight/ready</c> finds the variables of the run there.
    /// </summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();
}
