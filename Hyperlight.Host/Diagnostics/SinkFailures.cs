namespace Hyperlight.Host.Diagnostics;

/// <summary>What the application's loggers and debug output have thrown. They never end an operation.</summary>
internal sealed class SinkFailures
{
    private volatile Exception? _last;

    /// <summary>The last exception, or <see langword="null"/>.</summary>
    public Exception? Last => _last;

    public void Report(Exception exception) => _last = exception;
}
