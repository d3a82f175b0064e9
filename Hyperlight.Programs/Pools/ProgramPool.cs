using System.Runtime.ExceptionServices;
using Hyperlight.Host.Diagnostics.Telemetry;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Programs.Pools;

/// <summary>Runs a program in the sandboxes of a pool: as many runs at a time as the pool has sandboxes. Thread-safe.</summary>
internal sealed class ProgramPool : IProgramRunner, IAsyncDisposable, IDisposable
{
    private readonly ProgramTemplate _template;
    private readonly SandboxPool _pool;
    private readonly ProgramTelemetry _telemetry;

    public ProgramPool(
        ProgramTemplate template, SandboxPoolOptions options, string name, ILoggerFactory loggers, TimeProvider time, HyperlightMetrics metrics)
    {
        _template = template;
        _pool = new SandboxPool(new ProgramPoolTemplate(template, name, loggers), options, name, loggers, time, metrics);
        _telemetry = new ProgramTelemetry(metrics, name);
    }

    /// <summary>The pool of the sandboxes.</summary>
    public SandboxPool Sandboxes => _pool;

    /// <summary>Loads the program, and creates as many sandboxes as there shall be at least.</summary>
    public async Task WarmUpAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _pool.WarmUpAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PoolCreationException exception) when (exception.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
        }
    }

    public Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return RunAsync(ProgramRequest.Create(_template, input), input, null, cancellationToken);
    }

    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        byte[] request = ProgramRequest.Create(_template, input);
        return new ProgramRun((observer, token) => RunAsync(request, input, observer, token), cancellationToken);
    }

    public void Dispose() => _pool.Dispose();

    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private async Task<ProgramResult> RunAsync(
        byte[] request, ProgramInput input, Func<ProgramOutput, CancellationToken, ValueTask>? observer, CancellationToken cancellationToken)
    {
        ProgramObservation observation = _telemetry.Begin();
        ProgramResult result;
        try
        {
            SandboxLease lease = await RentAsync(cancellationToken).ConfigureAwait(false);
            await using (lease.ConfigureAwait(false))
            {
                observation.BeginRun();
                result = await RunAsync(lease, request, input, observer, cancellationToken).ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            observation.Fail(exception);
            throw;
        }

        observation.End(ProgramEndTag.Of(result.End), result.ExitCode);
        return result;
    }

    /// <summary>Callers get the cause if the program cannot be loaded, as those of a <see cref="ProgramRunner"/>.</summary>
    private async ValueTask<SandboxLease> RentAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _pool.RentAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PoolCreationException exception) when (exception.InnerException is { } cause)
        {
            ExceptionDispatchInfo.Throw(cause);
            throw;
        }
    }

    private Task<ProgramResult> RunAsync(
        SandboxLease lease,
        byte[] request,
        ProgramInput input,
        Func<ProgramOutput, CancellationToken, ValueTask>? observer,
        CancellationToken cancellationToken)
    {
        var program = (PooledProgram)lease.Attachment!;
        return ProgramExecution.RunAsync(
            _template,
            input,
            observer,
            (run, token) => ExecuteAsync(program, lease, request, run, token),
            cancellationToken);
    }

    /// <summary>A closed pool disposes the sandbox of a run that takes too long. Between two calls of the kernel, that is the same as within one.</summary>
    private static async Task<ProgramReport> ExecuteAsync(
        PooledProgram program, SandboxLease lease, byte[] request, RunServices run, CancellationToken cancellationToken)
    {
        try
        {
            return await program.Machine.ExecuteAsync(lease, program.Function, request, run, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectDisposedException exception) when (lease.Status == SandboxStatus.Disposed)
        {
            throw new ExecutionCanceledException(CancellationReason.Disposal, exception);
        }
    }
}
