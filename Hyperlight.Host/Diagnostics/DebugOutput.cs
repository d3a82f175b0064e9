using System.Text;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// Passes characters of the debug port on to the application. An exception of the application's is logged, the first time,
/// and the guest goes on.
/// </summary>
internal sealed class DebugOutput(Action<Rune> print, SinkFailures failures, ILogger logger)
{
    private bool _hasFailed;

    public void Write(Rune character)
    {
        try
        {
            print(character);
        }
        catch (Exception exception)
        {
            failures.Report(exception);
            if (!_hasFailed)
            {
                _hasFailed = true;
                SandboxLog.DebugOutputFailed(logger, exception);
            }
        }
    }
}
