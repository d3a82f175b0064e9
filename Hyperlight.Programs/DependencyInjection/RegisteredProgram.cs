using System.Diagnostics.Metrics;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Pools;
using Hyperlight.Programs.Pools;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Hyperlight.Programs.DependencyInjection;

/// <summary>
/// A program of an application. As a hosted service it warms up its pool when the application starts, and closes it when it stops; a program
/// can be used before.
/// </summary>
internal sealed class RegisteredProgram : IProgramRunner, IHostedService, IAsyncDisposable, IDisposable
{
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly string _name;
    private readonly Lazy<ProgramPool> _pool;
    private int _isClosed;

    public RegisteredProgram(string name, IServiceProvider provider)
    {
        _loggers = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _logger = GuardedLogger.Create(_loggers, PoolLog.Category, new SinkFailures());
        _name = name;
        _pool = new Lazy<ProgramPool>(() => Create(name, provider));
    }

    /// <summary>The pool of the program's sandboxes.</summary>
    public SandboxPool Sandboxes => Pool.Sandboxes;

    /// <summary>The pool, which is created when it is used first, unless the program is closed.</summary>
    /// <exception cref="PoolClosedException">The program was closed before that.</exception>
    private ProgramPool Pool
    {
        get
        {
            if (IsClosed && !_pool.IsValueCreated)
            {
                throw new PoolClosedException(_name);
            }

            ProgramPool pool = _pool.Value;
            if (IsClosed)
            {
                // It may have been created after this program was closed, and nothing else would close it.
                pool.Dispose();
            }

            return pool;
        }
    }

    // A full barrier: either this sees that the program was closed, or what closes it sees the pool.
    private bool IsClosed => Interlocked.CompareExchange(ref _isClosed, 0, 0) != 0;

    /// <summary>What options of which the image is known describe.</summary>
    public static ProgramTemplate TemplateOf(ProgramImage image, ProgramOptions options) => new()
    {
        Image = image,
        Executable = options.Executable,
        WorkingDirectory = options.WorkingDirectory,
        Command = [.. options.Command],
        Environment = options.Environment.ToDictionary(),
        Checkpoint = options.Checkpoint,
        TrialInput = options.TrialInput,
        CheckpointDirectory = options.CheckpointDirectory,
        Directories = options.Directories.ToDictionary(),
        Tools = [.. options.Tools],
        Network = options.Network,
        Seed = options.Seed,
        StartTime = options.StartTime,
        Limits = options.Limits,
    };

    public Task<ProgramResult> RunAsync(ProgramInput input, CancellationToken cancellationToken = default) =>
        Pool.RunAsync(input, cancellationToken);

    public ProgramRun Start(ProgramInput input, CancellationToken cancellationToken = default) => Pool.Start(input, cancellationToken);

    public Task StartAsync(CancellationToken cancellationToken) => Pool.WarmUpAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) =>
        PoolClosing.WaitAsync(DisposeAsync().AsTask(), () => _name, _logger, cancellationToken);

    public void Dispose()
    {
        Interlocked.Exchange(ref _isClosed, 1);
        if (_pool.IsValueCreated)
        {
            _pool.Value.Dispose();
        }
    }

    public ValueTask DisposeAsync()
    {
        Interlocked.Exchange(ref _isClosed, 1);
        return _pool.IsValueCreated ? _pool.Value.DisposeAsync() : default;
    }

    private ProgramPool Create(string name, IServiceProvider provider)
    {
        // The validator has refused options without an image.
        ProgramOptions options = provider.GetRequiredService<IOptionsMonitor<ProgramOptions>>().Get(name);
        ISandboxFactory factory = provider.GetRequiredService<ISandboxFactory>();
        return new ProgramPool(
            TemplateOf(options.Image!, options) with { CreateBuilder = factory.CreateBuilder },
            options.Pool,
            name,
            _loggers,
            provider.GetService<TimeProvider>() ?? TimeProvider.System,
            HyperlightMetrics.Of(provider.GetService<IMeterFactory>()));
    }
}
