namespace Hyperlight.Programs;

/// <summary>
/// A program did not reach its checkpoint (<see cref="ProgramTemplate.Checkpoint"/>): it ended before, or was ended by a limit. There is
/// no runner for it.
/// </summary>
public sealed class ProgramCheckpointException : HyperlightException
{
    internal ProgramCheckpointException(string name, ProgramCheckpoint checkpoint, ProgramResult result)
        : base($"'{name}' has not reached its checkpoint ({checkpoint}): {Describe(result)}.")
    {
        Checkpoint = checkpoint;
        Result = result;
    }

    /// <summary>The checkpoint that was not reached.</summary>
    public ProgramCheckpoint Checkpoint { get; }

    /// <summary>How the program ended, and what it wrote.</summary>
    public ProgramResult Result { get; }

    private static string Describe(ProgramResult result) => result.End switch
    {
        ProgramEnd.Exited => $"it ended with the exit code {result.ExitCode}",
        ProgramEnd.Signaled => $"the signal {result.Signal} ended it",
        ProgramEnd.TimeLimit => $"it took longer than {nameof(ProgramLimits)}.{nameof(ProgramLimits.WarmUpTime)}",
        _ => $"it was ended: {result.End}",
    };
}
