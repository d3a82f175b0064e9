using Microsoft.Extensions.Logging.Abstractions;

namespace Hyperlight.Samples.AspNetFunctions.Live;

/// <summary>Shows what guests log on the page.</summary>
internal sealed class GuestLogProvider(EventHub events) : ILoggerProvider, ISupportExternalScope
{
    /// <summary>The category of what guests log and print.</summary>
    private const string Category = "Hyperlight.Guest";

    private IExternalScopeProvider _scopes = new LoggerExternalScopeProvider();

    public ILogger CreateLogger(string categoryName) =>
        categoryName == Category ? new Logger(this, events) : NullLogger.Instance;

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
    }

    /// <summary>The guest of the call in progress; empty while guests are initialised.</summary>
    private string CurrentGuest()
    {
        string[] found = [string.Empty];
        _scopes.ForEachScope(
            static (scope, found) =>
            {
                if (scope is GuestScope { Guest: var guest })
                {
                    found[0] = guest;
                }
            },
            found);
        return found[0];
    }

    private sealed class Logger(GuestLogProvider provider, EventHub events) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => provider._scopes.Push(state);

        public bool IsEnabled(LogLevel logLevel) => events.HasReaders;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (events.HasReaders)
            {
                events.Publish(new LiveEvent("log", provider.CurrentGuest(), formatter(state, exception), logLevel.ToString()));
            }
        }
    }
}
