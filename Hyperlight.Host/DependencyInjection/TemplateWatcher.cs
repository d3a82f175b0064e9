using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Execution;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.DependencyInjection;

/// <summary>
/// Loads the template of a pool again after its file has changed. It looks at the file in intervals: notifications of the operating
/// system do not work on network file systems, nor for a symbolic link in the path that is replaced, as containers do.
/// </summary>
internal sealed class TemplateWatcher : IDisposable
{
    /// <summary>A file is loaded when it has changed, and is the same in two looks: its copying has ended.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _ending = new();
    private readonly ContainerTemplate _template;
    private readonly ISandboxPool _pool;
    private readonly ILogger _logger;

    public TemplateWatcher(ContainerTemplate template, ISandboxPool pool, ILogger logger, TimeProvider time)
    {
        _template = template;
        _pool = pool;
        _logger = logger;
        Completion = WithoutContext.Run(() => WatchAsync(new PeriodicTimer(Interval, time), _ending.Token));
    }

    /// <summary>Completes when the watching has ended.</summary>
    public Task Completion { get; }

    /// <summary>Ends the watching.</summary>
    public void Dispose() => _ending.Cancel();

    private async Task WatchAsync(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        using (timer)
        {
            FileStamp? last = null;
            try
            {
                while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
                {
                    FileStamp? stamp = _template.Stamp;
                    bool isComplete = stamp == last;
                    last = stamp;
                    if (stamp is not null && isComplete && _template.HasChanged(stamp))
                    {
                        await ReloadAsync(cancellationToken).ConfigureAwait(false);
                    }
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or PoolClosedException)
            {
                // Nothing needs the template any more.
            }
        }
    }

    private async Task ReloadAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _pool.ReloadAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (PoolCreationException exception)
        {
            PoolLog.ReloadFailed(_logger, exception, _pool.Name);
        }
    }
}
