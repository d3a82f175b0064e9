namespace Hyperlight.Samples.AspNetFunctions.Live;

/// <summary>The loggers of a guest's sandboxes. What the guest itself logs is shown on the page, too.</summary>
internal sealed class GuestLoggerFactory(ILoggerFactory loggers, EventHub events, string guest) : ILoggerFactory
{
    public ILogger CreateLogger(string categoryName)
    {
        ILogger logger = loggers.CreateLogger(categoryName);
        return categoryName == "Hyperlight.Guest" ? new GuestLogger(logger, events, guest) : logger;
    }

    public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

    /// <summary>The loggers are those of the application.</summary>
    public void Dispose()
    {
    }

    private sealed class GuestLogger(ILogger logger, EventHub events, string guest) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => logger.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            logger.Log(logLevel, eventId, state, exception, formatter);
            if (events.HasReaders)
            {
                events.Publish(new LiveEvent("log", guest, formatter(state, exception), logLevel.ToString()));
            }
        }
    }
}
