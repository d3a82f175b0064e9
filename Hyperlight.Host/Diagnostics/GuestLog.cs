using Hyperlight.Host.Wire;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>Passes a guest's log records on to the host's logging.</summary>
internal sealed partial class GuestLog
{
    /// <summary>The logging category of everything guests log.</summary>
    public const string Category = "Hyperlight.Guest";

    private readonly ILogger _logger;

    public GuestLog(ILogger logger) => _logger = logger;

    /// <summary>The most verbose level worth sending; errors only if nothing is enabled.</summary>
    public GuestLogLevel MostVerboseLevel =>
        _logger.IsEnabled(LogLevel.Trace) ? GuestLogLevel.Trace
        : _logger.IsEnabled(LogLevel.Debug) ? GuestLogLevel.Debug
        : _logger.IsEnabled(LogLevel.Information) ? GuestLogLevel.Information
        : _logger.IsEnabled(LogLevel.Warning) ? GuestLogLevel.Warning
        : GuestLogLevel.Error;

    public void Write(in GuestLogRecord record)
    {
        LogLevel level = Translate(record.Level);
        WriteRecord(_logger, level, record.Message, record.Source, record.Caller, record.SourceFile, record.Line);
    }

    private static LogLevel Translate(WireLogLevel level) => level switch
    {
        WireLogLevel.Debug => LogLevel.Debug,
        WireLogLevel.Information => LogLevel.Information,
        WireLogLevel.Warning => LogLevel.Warning,
        WireLogLevel.Error => LogLevel.Error,
        WireLogLevel.Critical => LogLevel.Critical,

        // A record of level None is still a record; it goes where it disturbs least.
        _ => LogLevel.Trace,
    };

    [LoggerMessage(EventId = 1, EventName = "GuestLog", Message = "{GuestMessage} [{Source} {Caller} {SourceFile}:{Line}]")]
    private static partial void WriteRecord(
        ILogger logger, LogLevel level, string guestMessage, string source, string caller, string sourceFile, uint line);
}
