using Hyperlight.Host.Diagnostics;
using Hyperlight.Host.Functions;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Execution.Waiting;

/// <summary>
/// An asynchronous host function that goes on although its call has ended. Its result is not needed any more; its failure is
/// logged, because the caller cannot have it.
/// </summary>
internal static class AbandonedHostFunction
{
    public static void Observe(PendingHostCall pending, ILogger logger) => pending.Task.ContinueWith(
        task =>
        {
            if (task.Exception is { } exception)
            {
                SandboxLog.AbandonedHostFunctionFailed(logger, exception.InnerException ?? exception, pending.Function.Name);
            }
        },
        CancellationToken.None,
        TaskContinuationOptions.ExecuteSynchronously,
        TaskScheduler.Default);
}
