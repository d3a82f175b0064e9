using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Hyperlight.Tests.Integration;

/// <summary>Keeps every log record for a test to look at.</summary>
internal sealed class RecordingLoggers(LogLevel minimum) : ILoggerFactory
{
    private readonly ConcurrentQueue<Record> _records = new();
    private readonly AsyncLocal<Scope?> _scope = new();

    /// <summary>Everything that was logged.</summary>
    public IReadOnlyList<Record> All => [.. _records];

    /// <summary>What guests logged.</summary>
    public IReadOnlyList<Record> Guest => [.. _records.Where(r => r.Category == "Hyperlight.Guest")];

    /// <summary>What the library itself logged.</summary>
    public IReadOnlyList<Record> Library => [.. _records.Where(r => r.Category == "Hyperlight.Sandbox")];

    private LogLevel Minimum { get; } = minimum;

    /// <summary>Forgets what was logged.</summary>
    public void Clear() => _records.Clear();

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    /// <param name="Category">The logger's category.</param>
    /// <param name="Level">The level.</param>
    /// <param name="Text">The message.</param>
    /// <param name="Exception">The exception.</param>
    /// <param name="Scope">The properties of the scopes around it.</param>
    internal sealed record Record(
        string Category, LogLevel Level, string Text, Exception? Exception, IReadOnlyDictionary<string, object?> Scope);

    private sealed class Scope(RecordingLoggers owner, object state) : IDisposable
    {
        private readonly Scope? _outer = owner._scope.Value;

        public IEnumerable<KeyValuePair<string, object?>> Properties =>
            (state as IEnumerable<KeyValuePair<string, object?>> ?? []).Concat(_outer?.Properties ?? []);

        public void Dispose() => owner._scope.Value = _outer;
    }

    private sealed class Logger(RecordingLoggers owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => owner._scope.Value = new Scope(owner, state);

        public bool IsEnabled(LogLevel logLevel) => logLevel >= owner.Minimum && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            owner._records.Enqueue(new Record(
                category,
                logLevel,
                formatter(state, exception),
                exception,
                (owner._scope.Value?.Properties ?? []).ToDictionary(p => p.Key, p => p.Value)));
    }
}
