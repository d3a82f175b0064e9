using Hyperlight.Host.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Pools;

/// <summary>The end of an application's pools.</summary>
internal static class PoolClosing
{
    /// <summary>
    /// Waits for pools that are closing as long as the application waits. Leases that are returned later are still disposed, and others ended in
    /// time.
    /// </summary>
    /// <param name="closing">Ends when they are closed.</param>
    /// <param name="pools">The names of those that are not closed yet.</param>
    /// <param name="logger">Where they are reported.</param>
    /// <param name="cancellationToken">The application does not wait any longer.</param>
    public static async Task WaitAsync(Task closing, Func<string> pools, ILogger logger, CancellationToken cancellationToken)
    {
        try
        {
            await closing.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!closing.IsCompleted)
        {
            PoolLog.StillClosing(logger, pools());
        }
    }
}
