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
    private readonly SandboxScope? _scope;

    private GuardedLogger(ILogger inner, SinkFailures failures, SandboxScope? scope)
    {
        _inner = inner;
        _failures = failures;
        _scope = scope;
    }

    /// <summary>Creates a logger. If the application's factory throws, nothing is logged.</summary>
    /// <param name="loggers">The application's factory.</param>
    /// <param name="category">The category of the records.</param>
    /// <param name="failures">Where exceptions go.</param>
    /// <param name="scope">The sandbox to which all records belong, or <see langword="null"/>.</param>
    public static ILogger Create(ILoggerFactory loggers, string category, SinkFailures failures, SandboxScope? scope = null)
    {
        try
        {
            ILogger logger = loggers.CreateLogger(category);
            return logger is NullLogger ? logger : new GuardedLogger(logger, failures, scope);
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
            using IDisposable? scope = _scope is null ? null : BeginScope(_scope);
            _inner.Log(logLevel, eventId, state, exception, formatter);
        }
        catch (Exception failure)
        {
            _failures.Report(failure);
        }
    }
}
