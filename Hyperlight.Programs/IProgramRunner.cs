namespace Hyperlight.Programs;

/// <summary>Runs a Linux program in a micro VM, any number of times, each from the same state. Thread-safe.</summary>
public interface IProgramRunner
{
    /// <inheritdoc cref="ProgramRunner.RunAsync(ProgramInput, CancellationToken)"/>
    Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ProgramRunner.Start"/>
    ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default);
}
