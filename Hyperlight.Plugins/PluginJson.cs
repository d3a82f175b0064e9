using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Hyperlight.Plugins;

/// <summary>How values are written and read. For generated code.</summary>
public static class PluginJson
{
    /// <summary>The serializer of a type.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="context">The context of the contract.</param>
    /// <returns>The serializer.</returns>
    /// <exception cref="NotSupportedException">The context does not have the type.</exception>
    public static JsonTypeInfo<T> TypeInfo<T>(JsonSerializerContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return context.GetTypeInfo(typeof(T)) as JsonTypeInfo<T>
            ?? throw new NotSupportedException($"{context.GetType()} has no [JsonSerializable(typeof({typeof(T)}))].");
    }
}
