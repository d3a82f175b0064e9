using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// Logs which driver was chosen: once for each logger factory, and again when another choice is made. The emulator in place of
/// a hypervisor is a warning.
/// </summary>
internal static class DriverReport
{
    private static readonly ConditionalWeakTable<ILoggerFactory, HypervisorSelection> Reported = [];

    /// <param name="loggers">The factory, which is remembered.</param>
    /// <param name="failures">Where its exceptions go.</param>
    /// <param name="selection">The driver that was chosen.</param>
    public static void Write(ILoggerFactory loggers, SinkFailures failures, HypervisorSelection selection)
    {
        // Sandboxes are built often, so this is the usual way out.
        if (Reported.TryGetValue(loggers, out HypervisorSelection? last) && last == selection)
        {
            return;
        }

        lock (Reported)
        {
            if (Reported.TryGetValue(loggers, out last) && last == selection)
            {
                return;
            }

            Reported.AddOrUpdate(loggers, selection);
        }

        ILogger logger = GuardedLogger.Create(loggers, SandboxLog.Category, failures);
        if (selection.Remedy is { } remedy)
        {
            SandboxLog.EmulatorChosen(logger, selection.Name, selection.Reason, remedy);
        }
        else
        {
            SandboxLog.DriverChosen(logger, selection.Name, selection.Reason);
        }
    }
}
