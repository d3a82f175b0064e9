namespace Hyperlight.Programs;

/// <summary>A plugin has ended before it has answered a call: by itself, or by a limit. Its session has ended.</summary>
public sealed class PluginEndedException : HyperlightException
{
    /// <summary>Creates the error.</summary>
    /// <param name="method">The method that was called.</param>
    /// <param name="result">How the plugin has ended.</param>
    public PluginEndedException(string method, ProgramResult result)
        : base($"The plugin has ended before it has answered the call of '{method}': {result?.End}, exit code {result?.ExitCode}.")
    {
        ArgumentNullException.ThrowIfNull(result);
        Method = method;
        Result = result;
    }

    /// <summary>The method that was called.</summary>
    public string Method { get; }

    /// <summary>How the plugin has ended, and what it wrote to its standard error.</summary>
    public ProgramResult Result { get; }
}
