using System.Threading.Channels;
using Hyperlight.Programs;

namespace Hyperlight.Samples.McpServer.Tests;

/// <summary>Keeps the runs, so that a test sees how they end.</summary>
internal sealed class ObservedRunner(IProgramRunner runner) : IProgramRunner
{
    private readonly Channel<ProgramRun> _started = Channel.CreateUnbounded<ProgramRun>();

    /// <summary>The next run, once it is started.</summary>
    public Task<ProgramRun> NextAsync() => _started.Reader.ReadAsync().AsTask();

    public Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default) =>
        runner.RunAsync(input, cancellationToken);

    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ProgramRun run = runner.Start(input, cancellationToken);
        _started.Writer.TryWrite(run);
        return run;
    }
}
