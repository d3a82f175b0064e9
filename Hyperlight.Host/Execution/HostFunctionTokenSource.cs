using Hyperlight.Host.Diagnostics;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Execution;

/// <summary>
/// The source of the token that one call gives to its host functions. It is never disposed: a request that is on its way may
/// still cancel it, and a function may keep the token.
/// </summary>
internal sealed class HostFunctionTokenSource(ulong operation) : CancellationTokenSource
{
    /// <summary>The number of the call.</summary>
    public ulong Operation => operation;

    /// <summary>The threads that cancel the token. Tests have their own.</summary>
    internal CancellationThreads Threads { get; init; } = CancellationThreads.Default;

    /// <summary>Cancels the token on another thread, so that the application's callbacks do not hold up who ends the call.</summary>
    public void CancelOnOtherThread(ILogger logger) => Threads.Run(() => CancelAndLog(logger));

    /// <summary>Cancels the token. What the application's callbacks throw is logged: the thread has nothing to do with them.</summary>
    public void CancelAndLog(ILogger logger)
    {
        try
        {
            Cancel();
        }
        catch (AggregateException exception)
        {
            SandboxLog.CancellationCallbackFailed(logger, exception);
        }
    }
}
