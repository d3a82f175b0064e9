using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>Keeps every log record for a test to look at.</summary>
internal sealed class RecordingLoggers(LogLevel minimum) : ILoggerFactory
{
    private readonly ConcurrentQueue<Record> _records = new();

    /// <summary>What guests logged.</summary>
    public IReadOnlyList<Record> Guest => [.. _records.Where(r => r.Category == "Hyperlight.Guest")];

    /// <summary>What the library itself logged.</summary>
    public IReadOnlyList<Record> Library => [.. _records.Where(r => r.Category == "Hyperlight.Sandbox")];

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    internal sealed record Record(string Category, LogLevel Level, string Text, Exception? Exception);

    private sealed class Logger(RecordingLoggers owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= owner.Minimum && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._records.Enqueue(new Record(category, logLevel, formatter(state, exception), exception));
    }

    private LogLevel Minimum { get; } = minimum;
}
