namespace Hyperlight.Plugins;

/// <summary>Calls the methods of a plugin by their names. For generated code.</summary>
public interface IPluginDispatcher
{
    /// <summary>Calls the method that a request names.</summary>
    /// <param name="request">The request, which gets the result.</param>
    /// <returns>The call.</returns>
    ValueTask DispatchAsync(PluginRequest request);
}
