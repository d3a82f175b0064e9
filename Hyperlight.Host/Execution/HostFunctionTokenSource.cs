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

    /// <summary>Starts a thread. Tests replace it: the system may have none to give.</summary>
    internal Action<Thread> StartThread { get; init; } = static thread => thread.UnsafeStart();

    /// <summary>Cancels the token on another thread, so that the application's callbacks do not hold up who ends the call.</summary>
    public void CancelOnOtherThread(ILogger logger)
    {
        try
        {
            StartThread(new Thread(() => CancelAndLog(logger)) { IsBackground = true, Name = "Hyperlight cancellation" });
        }
        catch (OutOfMemoryException)
        {
            // The system has no further thread to give. The thread pool has some, even if all of them are busy.
            ThreadPool.UnsafeQueueUserWorkItem(_ => CancelAndLog(logger), null);
        }
    }

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
