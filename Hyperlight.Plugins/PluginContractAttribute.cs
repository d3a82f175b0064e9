namespace Hyperlight.Plugins;

/// <summary>
/// Marks the interface of a plugin. A source generator makes the code of both sides: for <c>ITextPlugin</c>, the class
/// <c>TextPluginContract</c> with the field <c>Instance</c>. All methods return a task, have different names, and no parameters by
/// reference; a <see cref="CancellationToken"/> can be the last parameter, and is that of the application.
/// </summary>
/// <param name="jsonContext">
/// A <see cref="System.Text.Json.Serialization.JsonSerializerContext"/> that has <see cref="System.Text.Json.Serialization.JsonSerializableAttribute"/> for
/// the types of all parameters and results.
/// </param>
[AttributeUsage(AttributeTargets.Interface)]
public sealed class PluginContractAttribute(Type jsonContext) : Attribute
{
    /// <summary>The type that serializes parameters and results.</summary>
    public Type JsonContext { get; } = jsonContext;
}
