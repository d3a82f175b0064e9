using System.Text;

namespace Hyperlight.Programs;

/// <summary>What a program did before its checkpoint. It is not part of the runs' results. Immutable.</summary>
public sealed class ProgramWarmUp
{
    internal ProgramWarmUp(
        ReadOnlyMemory<byte> output,
        ReadOnlyMemory<byte> error,
        IReadOnlyList<UnsupportedSystemCall> unsupportedSystemCalls,
        TimeSpan duration,
        ProgramResult? trial,
        SnapshotFileException? saveFailure)
    {
        StandardOutputBytes = output;
        StandardErrorBytes = error;
        UnsupportedSystemCalls = unsupportedSystemCalls;
        Duration = duration;
        Trial = trial;
        SaveFailure = saveFailure;
    }

    /// <summary>The standard output, decoded as UTF-8; invalid bytes are replaced.</summary>
    public string StandardOutput => Encoding.UTF8.GetString(StandardOutputBytes.Span);

    /// <summary>The standard error, decoded as UTF-8; invalid bytes are replaced.</summary>
    public string StandardError => Encoding.UTF8.GetString(StandardErrorBytes.Span);

    /// <summary>The bytes of the standard output.</summary>
    public ReadOnlyMemory<byte> StandardOutputBytes { get; }

    /// <summary>The bytes of the standard error.</summary>
    public ReadOnlyMemory<byte> StandardErrorBytes { get; }

    /// <summary>The system calls that the program made and that are not implemented, in the order of their numbers.</summary>
    public IReadOnlyList<UnsupportedSystemCall> UnsupportedSystemCalls { get; }

    /// <summary>How long it took, with the snapshot, and without the trial run.</summary>
    public TimeSpan Duration { get; }

    /// <summary>
    /// The result of the trial run (<see cref="ProgramTemplate.TrialInput"/>); <see langword="null"/> without one. Later runs are prepared for
    /// what it did unless a limit that the host enforces has ended it: <see cref="ProgramEnd.TimeLimit"/>, <see
    /// cref="ProgramEnd.CpuTimeLimit"/> or <see cref="ProgramEnd.InstructionLimit"/>.
    /// </summary>
    public ProgramResult? Trial { get; }

    /// <summary>
    /// Why the checkpoint could not be saved to <see cref="ProgramTemplate.CheckpointDirectory"/>; <see langword="null"/> if it was saved, by this
    /// runner or another one meanwhile, or without a directory. The runner works without it, and the next one runs the program to its checkpoint again.
    /// </summary>
    public SnapshotFileException? SaveFailure { get; }
}
