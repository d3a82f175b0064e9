using Hyperlight.Programs;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>Keeps the first run, so that a test sees how it ends.</summary>
internal sealed class ObservedRunner(IProgramRunner runner) : IProgramRunner
{
    private readonly TaskCompletionSource<ProgramRun> _started = new();

    /// <summary>The first run, once it was started.</summary>
    public Task<ProgramRun> Started => _started.Task;

    public Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default) =>
        runner.RunAsync(input, cancellationToken);

    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ProgramRun run = runner.Start(input, cancellationToken);
        _started.TrySetResult(run);
        return run;
    }
}
