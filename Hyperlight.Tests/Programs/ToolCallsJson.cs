using System.Text.Json.Serialization;

namespace Hyperlight.Tests.Programs;

/// <summary>The types of tools in tests.</summary>
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int))]
internal sealed partial class ToolCallsJson : JsonSerializerContext;
