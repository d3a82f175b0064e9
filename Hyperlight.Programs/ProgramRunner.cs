namespace Hyperlight.Programs;

/// <summary>
/// Runs a Linux program in a micro VM: any number of times, each from the same state. Thread-safe; runs that are started at the
/// same time run one after the other.
/// </summary>
public sealed class ProgramRunner : IProgramRunner, IDisposable, IAsyncDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly KernelSandbox _sandbox;
    private bool _isDisposed;

    private ProgramRunner(ProgramTemplate template, KernelSandbox sandbox, ProgramWarmUp? warmUp)
    {
        Template = template;
        WarmUp = warmUp;
        _sandbox = sandbox;
    }

    /// <summary>What the runner runs.</summary>
    public ProgramTemplate Template { get; }

    /// <summary>
    /// What the program did before its checkpoint (<see cref="ProgramTemplate.Checkpoint"/>); <see langword="null"/> without one, and if it was loaded
    /// from <see cref="ProgramTemplate.CheckpointDirectory"/>.
    /// </summary>
    public ProgramWarmUp? WarmUp { get; }

    /// <summary>
    /// Creates the micro VM, loads the program, runs it to its checkpoint if it has one, makes the trial run if there is an input for one, and
    /// takes the snapshot from which each run starts.
    /// </summary>
    /// <param name="template">What to run.</param>
    /// <param name="cancellationToken">Ends the creation.</param>
    /// <exception cref="ArgumentException">
    /// The template does not say what the executable is; <see cref="ProgramTemplate.StartTime"/> is set, and <see cref="ProgramTemplate.Seed"/> is not; <see cref="ProgramTemplate.TrialInput"/> or <see cref="ProgramTemplate.CheckpointDirectory"/> is set and there is no checkpoint, the directory is empty, or the input is
    /// invalid as that of a run (see <see cref="RunAsync(ProgramInput, CancellationToken)"/>), or it has a stream.
    /// </exception>
    /// <exception cref="IOException">A directory of the host (<see cref="ProgramTemplate.Directories"/>) does not exist, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">A directory of the host may not be opened.</exception>
    /// <exception cref="ProgramImageException">The image cannot be built.</exception>
    /// <exception cref="ProgramCheckpointException">The program did not reach its checkpoint.</exception>
    /// <exception cref="SnapshotFileException">
    /// The checkpoint cannot be loaded from <see cref="ProgramTemplate.CheckpointDirectory"/>, or other users may write there. That it cannot be saved is no
    /// exception, but <see cref="ProgramWarmUp.SaveFailure"/>.
    /// </exception>
    /// <exception cref="HypervisorNotAvailableException">No hypervisor can be used; the message says what to do.</exception>
    /// <exception cref="UnsupportedConfigurationException"><see cref="ProgramLimits.Instructions"/> is set, and the driver does not count them.</exception>
    /// <exception cref="HyperlightException">The sandbox cannot be built; see <see cref="SandboxBuilder.Build(CancellationToken)"/>.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public static async Task<ProgramRunner> CreateAsync(ProgramTemplate template, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(template);
        KernelSandbox sandbox =
            await Task.Run(() => new KernelSandbox(template, cancellationToken), cancellationToken).ConfigureAwait(false);
        try
        {
            ProgramWarmUp? warmUp = await Programs.WarmUp.RunAsync(sandbox, template, cancellationToken).ConfigureAwait(false);
            return new ProgramRunner(template, sandbox, warmUp);
        }
        catch
        {
            sandbox.Dispose();
            throw;
        }
    }

    /// <summary>Runs the program until it ends.</summary>
    /// <param name="input">What the program gets.</param>
    /// <param name="cancellationToken">Ends the run, also while it waits for another one.</param>
    /// <returns>How the program ended, and what it wrote. What ends a program, limits included, is not an exception.</returns>
    /// <exception cref="ArgumentException">
    /// An argument or an environment variable contains a zero, or there are more than 128 KiB of them; a path is not absolute; two tools have one name;
    /// the input has a seed, and the template has none.
    /// </exception>
    /// <exception cref="ProgramImageException">The image does not have the executable, or its working directory, or it cannot be executed.</exception>
    /// <exception cref="IOException">A directory of the host (<see cref="ProgramTemplate.Directories"/>) does not exist, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">A directory of the host may not be opened.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled. The next run is not affected.</exception>
    /// <exception cref="ProgramStreamException">A stream of the input failed. The next run is not affected.</exception>
    /// <exception cref="HyperlightException">The micro VM failed, not the program. The next run starts from the snapshot again.</exception>
    /// <exception cref="ObjectDisposedException">The runner was disposed.</exception>
    public async Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return await RunAsync(input, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Starts the program, and hands out its output as it comes.</summary>
    /// <param name="input">
    /// What the program gets. Output for which it has a stream (<see cref="ProgramInput.StandardOutputStream"/>) goes there.
    /// </param>
    /// <param name="cancellationToken">Ends the run, also while it waits for another one.</param>
    /// <returns>The run. Dispose it: this ends the program.</returns>
    /// <exception cref="ArgumentException">An argument or an environment variable contains a zero, or there are more than 128 KiB of them.</exception>
    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        byte[] request = ProgramRequest.Create(Template, input);
        return new ProgramRun((observer, token) => RunAsync(request, input, observer, token), cancellationToken);
    }

    /// <param name="input">What the program gets.</param>
    /// <param name="observer">Gets the output that no stream gets; <see langword="null"/> for the result to have it.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <inheritdoc cref="RunAsync(ProgramInput, CancellationToken)"/>
    internal Task<ProgramResult> RunAsync(
        ProgramInput input, Func<ProgramOutput, CancellationToken, ValueTask>? observer, CancellationToken cancellationToken) =>
        RunAsync(ProgramRequest.Create(Template, input), input, observer, cancellationToken);

    /// <summary>Releases the micro VM, after the run that is in progress.</summary>
    public void Dispose()
    {
        _turn.Wait();
        Release();
    }

    /// <summary>Releases the micro VM, after the run that is in progress.</summary>
    public async ValueTask DisposeAsync()
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        Release();
    }

    private void Release()
    {
        try
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                _sandbox.Dispose();
            }
        }
        finally
        {
            // Not disposed: runs may wait for it, which then find out.
            _turn.Release();
        }
    }

    private async Task<ProgramResult> RunAsync(
        byte[] request, ProgramInput input, Func<ProgramOutput, CancellationToken, ValueTask>? observer, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return await ProgramExecution.RunAsync(
                Template,
                input,
                observer,
                (run, token) => _sandbox.RunAsync(request, run, token),
                cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }
}
