using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Pools;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>
/// The pools of a container. As a hosted service it warms them up when the application starts, and closes them when it stops.
/// </summary>
internal sealed class SandboxPools : ISandboxPoolFactory, IHostedService, IAsyncDisposable, IDisposable
{
    private readonly Dictionary<string, Lazy<SandboxPool>> _pools;
    private readonly ConcurrentBag<TemplateWatcher> _watchers = [];
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;

    public SandboxPools(SandboxTemplates templates, IServiceProvider provider)
    {
        _loggers = provider.GetService<ILoggerFactory>() ?? NullLoggerFactory.Instance;
        _logger = GuardedLogger.Create(_loggers, PoolLog.Category, new SinkFailures());
        _pools = templates.Names.ToDictionary(
            name => name, name => new Lazy<SandboxPool>(() => Create(provider, name)), SandboxTemplates.NameComparer);
    }

    public IReadOnlyCollection<string> Names => _pools.Keys;

    public ISandboxPool GetPool(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _pools.TryGetValue(name, out Lazy<SandboxPool>? pool)
            ? pool.Value
            : throw new ArgumentException($"There is no sandbox template '{name}'; {(_pools.Count == 0 ? "none is registered" : $"there are: {string.Join(", ", Names)}")}.", nameof(name));
    }

    public Task StartAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_pools.Values.Select(pool => pool.Value.WarmUpAsync(cancellationToken)));

    public Task StopAsync(CancellationToken cancellationToken) =>
        PoolClosing.WaitAsync(DisposeAsync().AsTask(), NamesOfOpen, _logger, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        EndWatching();
        await Task.WhenAll(_pools.Values.Where(static pool => pool.IsValueCreated).Select(static pool => pool.Value.DisposeAsync().AsTask()))
            .ConfigureAwait(false);
    }

    public void Dispose()
    {
        EndWatching();
        foreach (Lazy<SandboxPool> pool in _pools.Values.Where(static pool => pool.IsValueCreated))
        {
            pool.Value.Dispose();
        }
    }

    private string NamesOfOpen() => string.Join(
        ", ", _pools.Where(static pool => pool.Value is { IsValueCreated: true, Value.Statistics.Size: > 0 }).Select(static pool => pool.Key));

    private SandboxPool Create(IServiceProvider provider, string name)
    {
        SandboxTemplateOptions options = provider.GetRequiredService<IOptionsMonitor<SandboxTemplateOptions>>().Get(name);
        var template = new ContainerTemplate(
            options,
            provider.GetRequiredService<ISandboxFactory>(),
            provider.GetRequiredService<IServiceScopeFactory>(),
            provider.GetRequiredService<ApplicationFiles>());
        TimeProvider time = provider.GetService<TimeProvider>() ?? TimeProvider.System;
        var pool = new SandboxPool(template, options.Pool, name, _loggers, time, HyperlightMetrics.Of(provider.GetService<IMeterFactory>()));
        if (options.ReloadOnChange)
        {
            _watchers.Add(new TemplateWatcher(template, pool, _logger, time));
        }

        return pool;
    }

    private void EndWatching()
    {
        foreach (TemplateWatcher watcher in _watchers)
        {
            watcher.Dispose();
        }
    }
}
