using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Hyperlight.Programs.DependencyInjection;

/// <summary>A program of an application: its runner is created when the application starts, or when the program is used before.</summary>
internal sealed class RegisteredProgram(string name, IOptionsMonitor<ProgramOptions> options, ISandboxFactory factory)
    : IProgramRunner, IHostedService, IAsyncDisposable, IDisposable
{
    private readonly SemaphoreSlim _creation = new(1, 1);
    private ProgramRunner? _runner;
    private bool _isDisposed;

    /// <summary>What options of which the image is known describe.</summary>
    public static ProgramTemplate TemplateOf(ProgramImage image, ProgramOptions options) => new()
    {
        Image = image,
        Executable = options.Executable,
        WorkingDirectory = options.WorkingDirectory,
        Command = [.. options.Command],
        Environment = options.Environment.ToDictionary(),
        Checkpoint = options.Checkpoint,
        Directories = options.Directories.ToDictionary(),
        Tools = [.. options.Tools],
        Limits = options.Limits,
    };

    public async Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        ProgramRunner runner = await GetRunnerAsync(cancellationToken).ConfigureAwait(false);
        return await runner.RunAsync(input, cancellationToken).ConfigureAwait(false);
    }

    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new ProgramRun(
            async (observer, token) =>
            {
                ProgramRunner runner = await GetRunnerAsync(token).ConfigureAwait(false);
                return await runner.RunAsync(input, observer, token).ConfigureAwait(false);
            },
            cancellationToken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => GetRunnerAsync(cancellationToken);

    /// <summary>Runs that are in progress belong to the requests that made them; the container disposes the runner.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        _creation.Wait();
        _isDisposed = true;
        _creation.Release();
        _runner?.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _creation.WaitAsync().ConfigureAwait(false);
        _isDisposed = true;
        _creation.Release();
        if (_runner is { } runner)
        {
            await runner.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async Task<ProgramRunner> GetRunnerAsync(CancellationToken cancellationToken)
    {
        await _creation.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            return _runner ??= await CreateAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _creation.Release();
        }
    }

    private Task<ProgramRunner> CreateAsync(CancellationToken cancellationToken)
    {
        // The validator has refused options without an image.
        ProgramOptions current = options.Get(name);
        ProgramTemplate template = TemplateOf(current.Image!, current) with { CreateBuilder = factory.CreateBuilder };
        return ProgramRunner.CreateAsync(template, cancellationToken);
    }
}
