namespace Hyperlight.Programs;

/// <summary>Runs a Linux program in a micro VM, any number of times, each from the same state. Thread-safe.</summary>
/// <remarks>
/// The runner of <c>AddProgram</c> has a pool: runs take place at the same time. Besides the exceptions of a <see cref="ProgramRunner"/>, its runs
/// have those of a pool: <see cref="PoolQueueFullException"/> and <see cref="PoolTimeoutException"/> if too many runs wait, or one has waited for too
/// long; <see cref="PoolClosedException"/> when the application has stopped. A run that is ended then is an <see cref="OperationCanceledException"/>.
/// </remarks>
public interface IProgramRunner
{
    /// <inheritdoc cref="ProgramRunner.RunAsync(ProgramInput, CancellationToken)"/>
    Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default);

    /// <inheritdoc cref="ProgramRunner.Start"/>
    ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default);
}
