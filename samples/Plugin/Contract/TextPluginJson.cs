using System.Text.Json.Serialization;

namespace Hyperlight.Samples.Plugin;

/// <summary>How the types of the interface are written and read. What a plugin sends is checked for nulls.</summary>
[JsonSourceGenerationOptions(RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(TextDocument))]
[JsonSerializable(typeof(WordCounts))]
[JsonSerializable(typeof(Misbehaviour))]
public sealed partial class TextPluginJson : JsonSerializerContext;
