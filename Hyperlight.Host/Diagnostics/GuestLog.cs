using Hyperlight.Host.Diagnostics.Telemetry;
using Hyperlight.Host.Wire;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// Passes a guest's log records, and what it prints if that is logged, on to the host's logging. Each text is bounded and
/// escaped: see <see cref="GuestText"/>. The number of records is limited: see <see cref="RecordLimit"/>.
/// </summary>
internal sealed partial class GuestLog
{
    /// <summary>The logging category of everything guests log.</summary>
    public const string Category = "Hyperlight.Guest";

    private readonly ILogger _logger;
    private readonly GuestLogLevel? _configured;
    private readonly RecordLimit _limit;
    private readonly SandboxTelemetry _telemetry;

    /// <param name="logger">Where the records go.</param>
    /// <param name="configured">The most verbose level that the guest may log at; <see langword="null"/> for what the logger has enabled.</param>
    /// <param name="limit">How many records are logged.</param>
    /// <param name="telemetry">Where dropped records are counted.</param>
    public GuestLog(ILogger logger, GuestLogLevel? configured, RecordLimit limit, SandboxTelemetry telemetry)
    {
        _logger = logger;
        _configured = configured;
        _limit = limit;
        _telemetry = telemetry;
    }

    /// <summary>The level that the guest is told.</summary>
    public GuestLogLevel Level => _configured ?? MostVerboseLevel;

    /// <summary>The most verbose level worth sending; errors only if nothing is enabled.</summary>
    private GuestLogLevel MostVerboseLevel =>
        _logger.IsEnabled(LogLevel.Trace) ? GuestLogLevel.Trace
        : _logger.IsEnabled(LogLevel.Debug) ? GuestLogLevel.Debug
        : _logger.IsEnabled(LogLevel.Information) ? GuestLogLevel.Information
        : _logger.IsEnabled(LogLevel.Warning) ? GuestLogLevel.Warning
        : GuestLogLevel.Error;

    /// <summary>Logs a record, unless it is more verbose than the guest may log: not every guest keeps to what it was told.</summary>
    public void Write(in GuestLogRecord record)
    {
        LogLevel level = Translate(record.Level);
        if (LevelOf(level) <= (_configured ?? GuestLogLevel.Trace) && MayWrite(level))
        {
            string message = GuestText.Escape(record.Message);
            string source = GuestText.Escape(record.Source);
            string caller = GuestText.Escape(record.Caller);
            string sourceFile = GuestText.Escape(record.SourceFile);
            WriteRecord(_logger, level, message, source, caller, sourceFile, record.Line);
        }
    }

    /// <summary>Logs a line that the guest has printed.</summary>
    public void WritePrinted(string line)
    {
        if (MayWrite(LogLevel.Information))
        {
            string escaped = GuestText.Escape(line);
            Printed(_logger, escaped);
        }
    }

    /// <summary>Logs a line that the guest has written to the debug port.</summary>
    public void WriteDebugOutput(string line)
    {
        if (MayWrite(LogLevel.Debug))
        {
            string escaped = GuestText.Escape(line);
            DebugOutput(_logger, escaped);
        }
    }

    /// <summary>Logs how many records were dropped, at most once in a second.</summary>
    /// <param name="isLast">Whether the sandbox is disposed: the rest is reported now.</param>
    public void ReportDropped(bool isLast = false)
    {
        if (_limit.TakeDropped(isLast) is > 0 and var dropped)
        {
            RecordsDropped(_logger, dropped, _limit.Rate);
        }
    }

    private bool MayWrite(LogLevel level)
    {
        if (!_logger.IsEnabled(level))
        {
            return false;
        }

        if (!_limit.TryWrite())
        {
            _telemetry.RecordDroppedLogRecord();
            return false;
        }

        ReportDropped();
        return true;
    }

    private static GuestLogLevel LevelOf(LogLevel level) => level switch
    {
        LogLevel.Trace => GuestLogLevel.Trace,
        LogLevel.Debug => GuestLogLevel.Debug,
        LogLevel.Information => GuestLogLevel.Information,
        LogLevel.Warning => GuestLogLevel.Warning,
        _ => GuestLogLevel.Error,
    };

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

    [LoggerMessage(EventId = 2, EventName = "GuestOutput", Level = LogLevel.Information, Message = "{GuestMessage}")]
    private static partial void Printed(ILogger logger, string guestMessage);

    [LoggerMessage(EventId = 3, EventName = "GuestDebugOutput", Level = LogLevel.Debug, Message = "{GuestMessage}")]
    private static partial void DebugOutput(ILogger logger, string guestMessage);

    [LoggerMessage(EventId = 4, EventName = "GuestRecordsDropped", Level = LogLevel.Warning, Message = "Records of the guest were dropped: {Count}; it may write {Rate} in a second")]
    private static partial void RecordsDropped(ILogger logger, long count, int rate);
}
