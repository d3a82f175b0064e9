using System.Text.Json.Serialization.Metadata;

namespace Hyperlight.Plugins;

/// <summary>Where the generated code of the application sends calls. For generated code.</summary>
public interface IPluginChannel
{
    /// <summary>Makes a call that has no result.</summary>
    /// <param name="pluginCall">The call with its arguments.</param>
    /// <param name="cancellationToken">Ends the call, and with it the plugin.</param>
    /// <returns>The call.</returns>
    Task CallAsync(PluginCall pluginCall, CancellationToken cancellationToken);

    /// <summary>Makes a call.</summary>
    /// <typeparam name="TResult">The type of the result.</typeparam>
    /// <param name="pluginCall">The call with its arguments.</param>
    /// <param name="resultType">How the result is read.</param>
    /// <param name="canBeNull">Whether the result may be <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the call, and with it the plugin.</param>
    /// <returns>The result.</returns>
    Task<TResult> CallAsync<TResult>(PluginCall pluginCall, JsonTypeInfo<TResult> resultType, bool canBeNull, CancellationToken cancellationToken);
}
