namespace Hyperlight.Programs;

/// <summary>
/// A method of a plugin has thrown an exception. The plugin goes on. What the exception states comes from the plugin, which is not
/// trusted.
/// </summary>
public sealed class PluginException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="method">The method that was called.</param>
    /// <param name="exceptionType">The name of the exception's type.</param>
    /// <param name="exceptionMessage">The exception's message.</param>
    public PluginException(string method, string exceptionType, string exceptionMessage)
        : base($"The plugin's method '{method}' has thrown '{exceptionType}': {exceptionMessage}")
    {
        Method = method;
        ExceptionType = exceptionType;
        ExceptionMessage = exceptionMessage;
    }

    /// <summary>The method that was called.</summary>
    public string Method { get; }

    /// <summary>The name of the exception's type, as the plugin states it: without control characters, and shortened.</summary>
    public string ExceptionType { get; }

    /// <summary>The exception's message, as the plugin states it: without control characters, and shortened.</summary>
    public string ExceptionMessage { get; }
}
