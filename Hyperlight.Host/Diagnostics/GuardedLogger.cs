using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Hyperlight.Host.Diagnostics;

/// <summary>
/// A logger of the application whose exceptions go to <see cref="SinkFailures"/> instead of ending the operation that logs,
/// or taking the place of the failure that is logged.
/// </summary>
internal sealed class GuardedLogger : ILogger
{
    private readonly ILogger _inner;
    private readonly SinkFailures _failures;

    private GuardedLogger(ILogger inner, SinkFailures failures)
    {
        _inner = inner;
        _failures = failures;
    }

    /// <summary>Creates a logger. If the application's factory throws, nothing is logged.</summary>
    public static ILogger Create(ILoggerFactory loggers, string category, SinkFailures failures)
    {
        try
        {
            return new GuardedLogger(loggers.CreateLogger(category), failures);
        }
        catch (Exception exception)
        {
            failures.Report(exception);
            return NullLogger.Instance;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull
    {
        try
        {
            return _inner.BeginScope(state);
        }
        catch (Exception exception)
        {
            _failures.Report(exception);
            return null;
        }
    }

    public bool IsEnabled(LogLevel logLevel)
    {
        try
        {
            return _inner.IsEnabled(logLevel);
        }
        catch (Exception exception)
        {
            _failures.Report(exception);
            return false;
        }
    }

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        try
        {
            _inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception failure)
        {
            _failures.Report(failure);
        }
    }
}
