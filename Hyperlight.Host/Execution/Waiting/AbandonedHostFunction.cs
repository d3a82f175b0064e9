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
    /// <param name="pending">The call of the function.</param>
    /// <param name="logger">Where a failure is logged.</param>
    /// <param name="ended">Is called when the function has ended.</param>
    public static void Observe(PendingHostCall pending, ILogger logger, Action ended) =>
        pending.Task.ConfigureAwait(false).GetAwaiter().UnsafeOnCompleted(() =>
        {
            // Without the context of the caller, which would be kept as long as the function runs.
            if (pending.Task.Exception is { } exception)
            {
                SandboxLog.AbandonedHostFunctionFailed(logger, exception.InnerException ?? exception, pending.Function.Name);
            }

            ended();
        });
}
